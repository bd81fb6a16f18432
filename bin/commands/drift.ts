import { counted } from '../../domain/counted.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, CHANGING, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction, splitSubcommand } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import type { Drift } from '../../infrastructure/service/drift.ts';
import { ARCHIVE_OPTIONS } from '../archive-dirs.ts';
import { openReading } from '../compose.ts';
import { DRIFT_ANSWERS } from '../drift-answers.ts';
import { driftFound, isAbout } from '../drift-found.ts';

const HELP = `domtrail drift: where the log and the world differ, and what to do about it

  domtrail drift [OBJECT]    of a VM, VM:VOLUME, LV, file: what differs (exit 2)
  domtrail drift --all       also what somebody chose to leave as it is
      --archive DIR --backup DIR   LVM's own, instead of those in /etc/lvm
  domtrail drift adopt NAME...
                             what is there now becomes what the log says
  domtrail drift repair NAME...
                             what the log says becomes what is there
  domtrail drift ignore NAME... -m REASON
                             left as it is, and not told again until it changes
  domtrail drift notice NAME...
                             told again

Pools, files, QubesDB, qubes.xml, and commands in LVM's archive that are not ours.
A NAME is what drift shows, or a VM or VM:VOLUME for all of its disks. Each of
these is a command in the log; --plan shows what it would do. drift itself changes
nothing. fsck also checks the invariants and what commands left unfinished.
`;

const page = (one: Drift): string => {
  const explained = one.position === null ? '' : `  (ev:${one.position})`;
  const lines = [
    `${one.ignored ? '-' : '!'} ${one.kind.padEnd(9)} ${escapeText(one.object)}${explained}`,
    escapeText(one.problem),
    ...(one.details ?? []).map(escapeText),
    ...(one.by ? [`LVM's archive: ${localTime(Date.parse(one.by.time))}  $ ${escapeText(one.by.commandLine)}`] : []),
    ...(one.ignored ? [`ignored since ev:${one.ignored.position}: ${escapeText(one.ignored.reason)}`] : []),
    ...(one.adopt === null ? [] : [`adopt:  ${escapeText(one.adopt)}`]),
    ...(one.repair === null ? [] : [`repair: ${escapeText(one.repair)}`]),
    ...(one.ignored ? [] : [`ignore: ${escapeText(one.ignore)}`]),
  ];
  return `${lines.join('\n    ')}\n`;
};

/** Names that neither the log nor the world has. */
const knows = (host: Host, text: string, found: readonly Drift[]): boolean =>
  found.some(isAbout(host, text)) || host.vms.has(text as never) || host.vms.has(text.split(':')[0] as never);

const show = (args: Arguments, host: Host, all: readonly Drift[]): Result<readonly Drift[], Failure> => {
  const [object] = args.values;
  if (object === undefined) return ok(all);
  if (!knows(host, object, all)) {
    const next = `domtrail log ${object}   searches every event`;
    return err(failure('D_NOT_FOUND', `nothing called ${object} differs, and no VM or volume is called so`, { next }));
  }
  return ok(all.filter(isAbout(host, object)));
};

const look: Action = {
  options: { all: 'flag', ...ARCHIVE_OPTIONS },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OBJECT'], 'drift', 1);
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, past, asOf, ledger } = reading.value;
    try {
      if (past) return err(usage('drift compares with the host as it is now: --at says nothing about it', 'drift'));
      const all = await driftFound(args, reading.value);
      const found = all.ok ? show(args, host, all.value) : all;
      if (!found.ok) return found;
      const open = found.value.filter(({ ignored }) => ignored === null);
      const shown = args.flag('all') ? found.value : open;
      if (args.flag('json')) outJson('drift', asOf, { items: shown });
      else {
        const left = found.value.length - open.length;
        const note = left > 0 && !args.flag('all') ? `, ${left} ignored (drift --all)` : '';
        out(`${shown.map(page).join('')}${counted(open.length, 'difference')}${note}\n`);
      }
      return ok(open.length === 0 ? 0 : 2);
    } finally {
      closeLedger(ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => {
  const { word, rest } = splitSubcommand(argv);
  const answer = Object.hasOwn(DRIFT_ANSWERS, word ?? '') ? DRIFT_ANSWERS[word ?? ''] : undefined;
  if (!answer) return runAction(look, 'drift', argv);
  return runAction(
    { ...answer, options: { ...CHANGING, ...ARCHIVE_OPTIONS, ...answer.options }, help: HELP },
    'drift',
    rest,
  );
};
