import { ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { checkHost, type Finding } from '../../infrastructure/service/fsck.ts';
import { driverFor, openReading } from '../compose.ts';

const HELP = `domtrail fsck: does storage hold what the log says?

  domtrail fsck            problems (exit 2 when there are any), and what waits
                           for somebody to decide (marked ?)
  domtrail fsck --all      every disk, with the event that explains it

Compares by disk identity (LV UUID, inode and birth time), never by name alone.
Changes nothing.
`;

const page = (finding: Finding): string => {
  const explained = finding.position === null ? '' : `  (ev:${finding.position})`;
  const mark = finding.problem ? '!' : finding.note ? '?' : ' ';
  const head = `${mark} ${finding.kind.padEnd(9)} ${escapeText(finding.object)}${explained}`;
  if (!finding.problem) return finding.note ? `${head}\n    ${escapeText(finding.note)}` : head;
  return `${head}\n    ${escapeText(finding.problem)}${finding.repair ? `\n    repair: ${finding.repair}` : ''}`;
};

const fsck: Action = {
  options: { all: 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'fsck');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger } = reading.value;
    closeLedger(ledger);
    const findings = await checkHost(host, driverFor);
    if (!findings.ok) return findings;
    const problems = findings.value.filter(({ problem }) => problem !== null);
    if (args.flag('json')) outJson('fsck', asOf, { items: findings.value });
    else {
      const shown = args.flag('all') ? findings.value : findings.value.filter(({ problem, note }) => problem ?? note);
      out(shown.map((finding) => `${page(finding)}\n`).join(''));
      out(`${findings.value.length} checked, ${problems.length} problems\n`);
    }
    return ok(problems.length === 0 ? 0 : 2);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(fsck, 'fsck', argv);
