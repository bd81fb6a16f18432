import { type Archive, isArchive, type Written } from '../../domain/backup/archive.ts';
import type { CommandEvent } from '../../domain/command/events.ts';
import { type Ledger, statement } from '../ledger/ledger.ts';

const PLAN = `SELECT data FROM events WHERE command = ? AND type = 'CommandAccepted'`;
const STEP = `SELECT data FROM events WHERE command = ? AND type = 'StepDone' AND data -> '$.written' IS NOT NULL`;

const dataOf = (ledger: Ledger, query: string, command: string): unknown => {
  const text = statement(ledger, query).pluck().get(command);
  return typeof text === 'string' ? JSON.parse(text) : null;
};

/** What a command wrote into a backup, as the log has it, with what there is to say about whole files; null for a command that made none. */
export const writtenBy = (
  ledger: Ledger,
  command: string,
): { readonly archive: Archive; readonly written: readonly Written[]; readonly notes: readonly string[] } | null => {
  const accepted = dataOf(ledger, PLAN, command) as Extract<CommandEvent, { type: 'CommandAccepted' }> | null;
  const done = dataOf(ledger, STEP, command) as Extract<CommandEvent, { type: 'StepDone' }> | null;
  const archive = accepted?.plan.main.map(({ deed }) => deed).find(isArchive);
  if (!archive || !done?.written) return null;
  const notes = done.evidence.stderr.split('\n').filter((line) => line !== '');
  return { archive, written: done.written, notes };
};
