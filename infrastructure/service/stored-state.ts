import { readFileSync, writeFileSync } from 'node:fs';
import { type EntityKey, emptyHost, entityKeysOf, entityOf, type Host, restoreEntity } from '../../domain/host/host.ts';
import { type Ledger, statement } from '../ledger/ledger.ts';

/** The hash of the event at a position: what a stored state belongs to, whatever the ledger's file is called. */
const hashAt = (ledger: Ledger, position: number): string =>
  (statement(ledger, 'SELECT lower(hex(hash)) FROM events WHERE position = ?').pluck().get(position) as
    | string
    | undefined) ?? '';

type Stored = {
  readonly position: number;
  readonly hash: string;
  readonly values: readonly (readonly [EntityKey, unknown])[];
};

/** Writes the state at its position, for the programs that `bisect` starts: they need not fold the log again. */
export const writeState = (ledger: Ledger, host: Host, file: string): void => {
  const { position } = host;
  const values = entityKeysOf(host).map((key) => [key, entityOf(host, key)] as const);
  const stored: Stored = { position, hash: hashAt(ledger, position), values };
  writeFileSync(file, JSON.stringify(stored), { mode: 0o600 });
};

/** The stored state of that position of this very log; null when the file holds another one. */
export const readState = (ledger: Ledger, position: number, file: string): Host | null => {
  const stored = JSON.parse(readFileSync(file, 'utf8')) as Partial<Stored>;
  if (stored.position !== position || stored.hash !== hashAt(ledger, position)) return null;
  const host = emptyHost();
  for (const [key, value] of stored.values ?? []) restoreEntity(host, key, value);
  host.position = position;
  return host;
};
