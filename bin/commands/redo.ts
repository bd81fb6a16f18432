import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { lastUndo } from '../../domain/undo/course.ts';
import { CHANGING, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { findCommand } from '../../infrastructure/ledger/queries.ts';
import { operationsOf } from '../../infrastructure/service/operations.ts';
import type { Service } from '../../infrastructure/service/service.ts';
import { goBack, mustBeSettled, type Way } from '../way-back.ts';

const HELP = `domtrail redo: takes the last undo back

  domtrail redo            again: the undo before, and so on
  domtrail redo --plan     the steps, and what cannot come back

Only as long as nothing else was done since the undo. Asks as undo does.

Takes --plan, -m REASON, --id KEY, --json, --wait SECONDS.
`;

const wayOf = (service: Service): Result<Way | null, Failure> => {
  const settled = mustBeSettled(service);
  if (!settled.ok) return settled;
  const undone = lastUndo(operationsOf(service.ledger));
  if (!undone?.restored) return ok(null);
  const operation = findCommand(service.ledger, undone.restored.operation);
  if (!operation.ok) return operation;
  const position = undone.first - 1;
  return ok({
    topic: 'redo',
    kind: 'redo',
    operation: operation.value,
    position,
    only: null,
    done: 'done again:',
    asks: false,
  });
};

const redo: Action = {
  options: CHANGING,
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'redo');
    return words.ok ? goBack(args, 'redo', wayOf) : words;
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(redo, 'redo', argv);
