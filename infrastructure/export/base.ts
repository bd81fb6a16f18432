import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import { entityKeysOf, entityOf, type Host } from '../../domain/host/host.ts';
import type { Connection } from '../ledger/connection.ts';
import { foldTo } from '../ledger/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { followOutcome, type StoredOutcome } from '../ledger/outcomes.ts';
import { type CommandRow, commandRows } from './rows.ts';

/** What there was before the first event of a bundle: the state, and the commands that were under way. */
export type Base = {
  readonly host: Host;
  readonly outcomes: ReadonlyMap<string, StoredOutcome>;
  readonly open: readonly CommandRow[];
};

export const baseAt = (ledger: Ledger, position: number): Base => {
  const all = new Map<string, StoredOutcome>();
  const host = foldTo(ledger, position, undefined, (recorded) => followOutcome(all, recorded));
  const outcomes = new Map([...all].filter(([id]) => host.operations.has(id)));
  const open = [...commandRows(ledger, position)].filter(({ id }) => outcomes.has(id));
  return { host, outcomes, open };
};

const INSERT = 'INSERT INTO base (what, key, value) VALUES (?, ?, ?)';

/** Values by the key they have in the state. */
export type Entities = readonly (readonly [key: string, value: unknown])[];

export const entitiesOf = (host: Host): Entities => entityKeysOf(host).map((key) => [key, entityOf(host, key)]);

export const fillBase = (db: Connection, entities: Entities, base: Pick<Base, 'outcomes' | 'open'>): void => {
  const insert = db.prepare(INSERT);
  for (const [key, value] of entities) insert.run('entity', key, JSON.stringify(value));
  for (const [id, outcome] of base.outcomes) insert.run('outcome', id, JSON.stringify(outcome));
  for (const { id, digest, position } of base.open) {
    insert.run('digest', id, canonicalJson({ digest, position } satisfies Json));
  }
};
