import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { findCommand, newestCommands, type StoredCommand } from '../infrastructure/ledger/queries.ts';
import { isInOperationLog } from '../infrastructure/service/operations.ts';

/** The operation that `@` (the last), `@-` (the one before), `cmd:ID`, an id or the beginning of one stands for. */
export const findOperation = (ledger: Ledger, text: string, upTo?: number): Result<StoredCommand, Failure> => {
  if (text !== '@' && text !== '@-') return findCommand(ledger, text.replace(/^cmd:/, ''));
  let skip = text === '@' ? 0 : 1;
  for (const command of newestCommands(ledger, upTo)) {
    if (isInOperationLog(command) && skip-- === 0) return ok(command);
  }
  return err(failure('D_NOT_FOUND', `there is no operation ${text}`, { next: 'domtrail op log' }));
};
