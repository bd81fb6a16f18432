import { counted } from '../../domain/counted.ts';
import { ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson, talk } from '../../infrastructure/cli/output.ts';
import { escapeText } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { qubesDbAt } from '../../infrastructure/qubesdb/choose.ts';
import { checkHost, checkPast, type Finding } from '../../infrastructure/service/fsck.ts';
import { checkFirewalls } from '../../infrastructure/service/fsck-firewall.ts';
import { driverFor, openReading } from '../compose.ts';

const HELP = `domtrail fsck: does storage hold what the log says?

  domtrail fsck            problems (exit 2 when there are any), and what waits
                           for somebody to decide (marked ?)
  domtrail fsck --all      every disk, with the event that explains it

  domtrail fsck --at ev:40 what was unfinished, undecided or broken then, by the
                           log alone: the disks of then are not there any more

Compares by disk identity (LV UUID, inode and birth time), never by name alone;
firewalls with their firewall.xml and with what their netvm's QubesDB holds; and
holds the named invariants against it. Changes nothing. What to do about disks and
files that somebody else changed: domtrail drift.
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
    const { host, home, past, asOf, ledger } = reading.value;
    closeLedger(ledger);
    const disks = past ? checkPast(host) : await checkHost(host, driverFor);
    if (past) talk('note: the disks of then are not there to be looked at: this is what the log alone tells\n');
    const db = qubesDbAt(home.qubesDb);
    // Only this home's files and daemons are those of now.
    const isHere = !past && args.text('db') === undefined;
    const firewalls = isHere ? await checkFirewalls(host, { home: home.dir, db, now: Date.now() }) : [];
    await db.close();
    const found = [...disks, ...firewalls];
    const problems = found.filter(({ problem }) => problem !== null);
    if (args.flag('json')) outJson('fsck', asOf, { items: found });
    else {
      const shown = args.flag('all') ? found : found.filter(({ problem, note }) => problem ?? note);
      out(shown.map((finding) => `${page(finding)}\n`).join(''));
      out(`${found.length} checked, ${counted(problems.length, 'problem')}\n`);
    }
    return ok(problems.length === 0 ? 0 : 2);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(fsck, 'fsck', argv);
