import type { CommandName } from '../command/registry.ts';
import type { RestoreOperation } from './commands.ts';

/** A command that changed something. `first` and `last` are the positions of its events. */
export type Done = {
  readonly id: string;
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** where it led, when it was itself a way back */
  readonly restored: RestoreOperation | null;
};

/** Commands that leave no state behind which somebody could want back, or that nobody gave. */
const PASSED_OVER: ReadonlySet<string> = new Set<CommandName>([
  'CollectGarbage',
  'ExpireRule',
  'ExportVolume',
  'IgnoreDrift',
  'NoticeDrift',
  'OverruleDocument',
  'RecordPoolMended',
  'RecordPoolWound',
  'RecordReboot',
  'ReloadFirewall',
  'RewriteKeys',
]);

/** Whether `undo` stops at a command: one that recorded nothing but its acceptance changed nothing. Ways back always count. */
export const isOperation = ({ name, first, last, restored }: Done): boolean =>
  restored !== null || (last > first && !PASSED_OVER.has(name));

/**
 * Walks back through operations, the newest first: an `undo` stands where the operation before the undone one stands, a
 * `redo` where the one it brought back does. Gives the operation the present state corresponds to; null at the beginning.
 */
export const standsAt = (newestFirst: Iterable<Done>): Done | null => {
  let passing: string | null = null;
  for (const done of newestFirst) {
    if (passing === null) {
      const { restored } = done;
      if (!restored || restored.kind === 'restore' || restored.kind === 'revert') return done;
      if (restored.kind === 'redo') return ofId(newestFirst, restored.operation);
      passing = restored.operation;
    } else if (done.id === passing) passing = null;
  }
  return null;
};

const ofId = (all: Iterable<Done>, id: string): Done | null => {
  for (const done of all) if (done.id === id) return done;
  return null;
};

/** The newest `undo` that was not taken back yet; null once anything else was done since. */
export const lastUndo = (newestFirst: Iterable<Done>): Done | null => {
  let takenBack = 0;
  for (const done of newestFirst) {
    const kind = done.restored?.kind;
    if (kind === 'redo') takenBack++;
    else if (kind !== 'undo') return null;
    else if (takenBack === 0) return done;
    else takenBack--;
  }
  return null;
};
