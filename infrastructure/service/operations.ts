import type { RestoreOperation } from '../../domain/undo/commands.ts';
import { type Done, isOperation } from '../../domain/undo/course.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { newestCommands, type StoredCommand } from '../ledger/queries.ts';

export const doneOf = ({ id, name, payload, outcome }: StoredCommand): Done => ({
  id,
  name,
  first: outcome.firstPosition,
  last: outcome.lastPosition,
  restored: name === 'RestoreOperation' ? (payload as RestoreOperation) : null,
});

/** What is in the log as an operation: refused commands did nothing, abandoned ones left nothing. */
export const isInOperationLog = ({ outcome }: StoredCommand): boolean =>
  outcome.outcome !== 'rejected' && outcome.outcome !== 'abandoned';

/** The operations of a log, the newest first. Can be walked through several times. */
export const operationsOf = (ledger: Ledger, upTo?: number): Iterable<Done> => ({
  *[Symbol.iterator]() {
    for (const command of newestCommands(ledger, upTo)) {
      const done = doneOf(command);
      if (isInOperationLog(command) && isOperation(done)) yield done;
    }
  },
});
