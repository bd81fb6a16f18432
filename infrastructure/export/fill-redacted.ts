import type { Host } from '../../domain/host/host.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { StoredOutcome } from '../ledger/outcomes.ts';
import { eventRedactor, redactedCommand, redactor } from '../redaction/row.ts';
import { redacted } from '../redaction/value.ts';
import { objectIn, type Redactor } from '../redaction/words.ts';
import { type Base, baseAt, type Entities, entitiesOf, fillBase } from './base.ts';
import { bound, chainedFiller, commandFiller } from './fill.ts';
import { type CommandRow, commandRows, eventRows, recordedOf } from './rows.ts';

/** The ledgers, the events after `after` up to `last`, and what the chain begins with. */
export type Redaction = {
  readonly from: Ledger;
  readonly to: Ledger;
  readonly after: number;
  readonly last: number;
  readonly begins: string;
};

const keyIn = ({ words, storage }: Redactor, key: string): string => {
  const slash = key.indexOf('/');
  const [kind, name] = [key.slice(0, slash), key.slice(slash + 1)];
  switch (kind) {
    case 'vm':
      return `vm/${words.vm(name)}`;
    case 'pool':
      return `pool/${words.pool(name)}`;
    case 'operation':
      return `operation/${words.command(name)}`;
    case 'trash':
      return `trash/${words.disk(name)}`;
    case 'answer':
      return `answer/${name.includes('/') ? storage.diskName(name) : objectIn(words, name)}`;
    default:
      return key;
  }
};

const mapsTo = (one: Redactor, host: Host): Entities =>
  entitiesOf(host).map(([key, value]) => [keyIn(one, key), redacted(one, value, key.split('/')[0] ?? '', '')]);

const outcomesIn = (one: Redactor, outcomes: Base['outcomes']): ReadonlyMap<string, StoredOutcome> =>
  new Map(
    [...outcomes].map(([id, outcome]) => {
      const shown = redacted(one, outcome, 'outcome', '') as StoredOutcome;
      return [one.words.command(id), { ...shown, outcome: outcome.outcome }];
    }),
  );

const wantedCommands = function* ({ from, after, last }: Redaction, base: Base): Generator<CommandRow> {
  yield* base.open;
  for (const row of commandRows(from, last)) if (row.position > after) yield row;
};

/** Goes through everything once, only to learn which names there are. */
const learn = (one: Redactor, job: Redaction, base: Base): void => {
  mapsTo(one, base.host);
  outcomesIn(one, base.outcomes);
  const change = eventRedactor(one);
  for (const stored of eventRows(job.from, job.after, job.last)) change(recordedOf(stored), null);
  for (const row of wantedCommands(job, base)) redactedCommand(one, row);
  one.words.names.count();
};

/**
 * The same log with other names, and without what people wrote. It is written row by row into a new file: nothing of the
 * original was ever in there, not even in free pages.
 */
export const fillRedacted = (job: Redaction): void => {
  const one = redactor();
  const { from, to, after, last, begins } = job;
  const base = baseAt(from, after);
  learn(one, job, base);
  const command = commandFiller(to.db);
  const digests = new Map<string, string>();
  const open: CommandRow[] = [];
  for (const row of wantedCommands(job, base)) {
    const shown = bound(redactedCommand(one, row));
    digests.set(row.id, shown.digest);
    if (row.position <= after) open.push(shown);
    command(shown);
  }
  const event = chainedFiller(to.db, begins, eventRedactor(one), digests);
  for (const stored of eventRows(from, after, last)) event(stored);
  if (after > 0) fillBase(to.db, mapsTo(one, base.host), { outcomes: outcomesIn(one, base.outcomes), open });
};
