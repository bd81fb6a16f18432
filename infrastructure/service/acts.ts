import type { CommandEvent } from '../../domain/command/events.ts';
import { type Ledger, statement } from '../ledger/ledger.ts';
import { groupChangedBy, idInMark } from '../lvm-history/mark.ts';

/** A recorded step that changed a volume group: LVM's archive must tell of it. Times in epoch milliseconds. */
export type Act = {
  readonly command: string;
  readonly step: number;
  readonly group: string;
  readonly position: number;
  readonly began: number;
  readonly words: string;
};

type Row = { readonly position: number; readonly command: string; readonly time: number; readonly data: string };

const STEPS = `SELECT position, command, time, data FROM events WHERE type = 'StepDone' AND position <= ? ORDER BY position`;

const actOf = ({ position, command, time, data }: Row): Act | null => {
  const { n, words, evidence } = JSON.parse(data) as Extract<CommandEvent, { type: 'StepDone' }>;
  const group = evidence.argv.map(groupChangedBy).find((one) => one !== null);
  if (group === undefined || group === null) return null;
  return { command: idInMark(command), step: n, group, position, began: time - evidence.durationMs, words };
};

/** All steps on LVM up to an event, in order. */
export const actsUpTo = (ledger: Ledger, position: number): readonly Act[] =>
  (statement(ledger, STEPS).all(position) as Row[]).flatMap((row) => actOf(row) ?? []);

/** The ids of all commands the log received up to an event, as they stand in marks. */
export const commandsKnown = (ledger: Ledger, position: number): ReadonlySet<string> =>
  new Set(
    (statement(ledger, 'SELECT id FROM commands WHERE position <= ?').pluck().all(position) as string[]).map(idInMark),
  );

/** When the log began to know a pool, in epoch milliseconds. */
export const knownSince = (ledger: Ledger, pool: string): number =>
  (statement(ledger, 'SELECT min(time) FROM events WHERE stream = ?').pluck().get(`pool/${pool}`) as number | null) ??
  0;
