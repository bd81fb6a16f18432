import { exitOf } from '../../domain/failure.ts';
import { ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { replayCommands } from '../../infrastructure/service/replay.ts';
import { openReading } from '../compose.ts';

const HELP = `domtrail replay: would today's code decide the same?

  domtrail replay                  every recorded command, through the deciders
  domtrail replay --at ev:1042     up to an event
  domtrail replay --db copy.db     somebody else's log

Prints the first event that would differ, with both versions, and exits 6.
`;

const replay: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'replay');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { ledger, asOf } = reading.value;
    const replayed = replayCommands(ledger, asOf.position);
    closeLedger(ledger);
    const { difference } = replayed;
    if (args.flag('json')) outJson('replay', asOf, { item: replayed });
    else if (!difference) out(`${replayed.commands} commands decided again: the recorded events, all of them\n`);
    else {
      out(`ev:${difference.position} is the first that would differ (${difference.name}, cmd:${difference.command})\n`);
      out(`recorded: ${JSON.stringify(difference.recorded)}\ndecided:  ${JSON.stringify(difference.decided)}\n`);
    }
    return ok(difference ? exitOf('D_VERIFY') : 0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(replay, 'replay', argv);
