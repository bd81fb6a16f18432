import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { asItStood } from '../infrastructure/ledger/as-it-stood.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { findCommand, newestCommands, type StoredCommand } from '../infrastructure/ledger/queries.ts';
import { isInOperationLog } from '../infrastructure/service/operations.ts';

type Found = Result<StoredCommand, Failure>;

const found = (ledger: Ledger, command: Found, upTo: number | undefined): Found => {
  if (!command.ok || upTo === undefined) return command;
  const then = asItStood(ledger, command.value, upTo);
  if (then) return ok(then);
  const { id, outcome } = command.value;
  return err(failure('D_NOT_FOUND', `cmd:${id} came later, at ev:${outcome.firstPosition}`));
};

/** As it stood at `upTo`: the operation that `@` (the last), `@-` (the one before), `cmd:ID`, an id or the beginning of one stands for. */
export const findOperation = (ledger: Ledger, text: string, upTo?: number): Result<StoredCommand, Failure> => {
  if (text !== '@' && text !== '@-') return found(ledger, findCommand(ledger, text.replace(/^cmd:/, '')), upTo);
  let skip = text === '@' ? 0 : 1;
  for (const command of newestCommands(ledger, upTo)) {
    if (isInOperationLog(command) && skip-- === 0) return found(ledger, ok(command), upTo);
  }
  return err(failure('D_NOT_FOUND', `there is no operation ${text}`, { next: 'domtrail op log' }));
};
