import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { standsAt } from '../../domain/undo/course.ts';
import { CHANGING, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { operationsOf } from '../../infrastructure/service/operations.ts';
import type { Service } from '../../infrastructure/service/service.ts';
import { beginning, goBack, mustBeSettled, type Way } from '../way-back.ts';

const HELP = `domtrail undo: takes back the last operation

  domtrail undo            again: the one before, and so on
  domtrail undo --plan     the steps, and what cannot come back
  domtrail redo            takes the last undo back
  domtrail op log          what there is to undo
  domtrail op revert OP    takes out one from among the others

An undo is an operation itself. It destroys nothing: what a volume holds now
becomes a revision, what goes lies in the trash. It asks when something does not
come back or a VM goes; --yes answers.

Takes --plan, -m REASON, --id KEY, --json, --wait SECONDS.
`;

const wayOf = (service: Service): Result<Way | null, Failure> => {
  const settled = mustBeSettled(service);
  if (!settled.ok) return settled;
  const operation = standsAt(operationsOf(service.ledger));
  if (!operation) return ok(null);
  const wall = beginning(operation);
  if (wall) return err(wall);
  const { first } = operation;
  return ok({ topic: 'undo', kind: 'undo', operation, position: first - 1, only: null, done: 'undone:', asks: false });
};

const undo: Action = {
  options: CHANGING,
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'undo');
    return words.ok ? goBack(args, 'undo', wayOf) : words;
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(undo, 'undo', argv);
