import { backupName } from '../../domain/backup/archive.ts';
import { type Unwritten, unwritten } from '../../domain/backup/interrupted.ts';
import { formatBytes } from '../../domain/bytes.ts';
import { counted } from '../../domain/counted.ts';
import type { Host } from '../../domain/host/host.ts';
import { dueTrash } from '../../domain/host/retention.ts';
import { ok } from '../../domain/result.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { warningsOf } from '../../infrastructure/cli/pool-warnings.ts';
import { escapeText, localTime, shortId, utcTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { bootId, processLives } from '../../infrastructure/ledger/process-identity.ts';
import { newestUsage, type SeenThen } from '../../infrastructure/ledger/tallies.ts';
import { DOCUMENT, isLeftAlone, lookAtDocument } from '../../infrastructure/service/document-look.ts';
import type { Forecast } from '../../projections/stats/pool-trend.ts';
import { openReading, type Reading } from '../compose.ts';
import { forecastsOf, forecastText } from '../pool-forecast.ts';
import { lookAtPools, type SeenPool } from '../pools-seen.ts';

const HELP = `domtrail status: one screen about the host

  domtrail status
  domtrail status --at '2026-11-22T19:40:31Z'

What it says under ATTENTION comes with the command that helps.
`;

type Attention = { readonly object: string; readonly problem: string; readonly next: string };

const dirtyVolumes = (host: Host): readonly Attention[] =>
  [...host.vms.values()].flatMap(volumesOf).flatMap((volume) =>
    volume.situation.is === 'dirty'
      ? [
          {
            object: volume.spec.key,
            problem: 'holds the data of a session that a crash interrupted',
            next: `domtrail volume commit ${volume.spec.key}   or   volume discard`,
          },
        ]
      : [],
  );

/** A backup that is being written is in nobody's way; one whose process is gone waits for somebody to decide. */
const ofBackup = ({ operation, archive }: Unwritten): Attention => {
  const id = shortId(operation.command);
  const what = `the backup ${backupName(archive.to)}`;
  return processLives(operation.owner)
    ? { object: `cmd:${id}`, problem: `${what} is being written`, next: `domtrail backup cancel ${id}` }
    : {
        object: `cmd:${id}`,
        problem: `${what} was interrupted and waits to go on`,
        next: `domtrail backup resume ${id}   or   domtrail backup cancel ${id}`,
      };
};

const unfinished = (host: Host, here: boolean): readonly Attention[] =>
  [...host.operations.values()].map((operation) => {
    const { command, name, course } = operation;
    const backup = here ? unwritten(operation) : null;
    if (backup) return ofBackup(backup);
    return {
      object: `cmd:${shortId(command)}`,
      problem: `${name} is unfinished${course.is === 'failed' ? `: ${course.failure.message}` : ''}`,
      next: 'domtrail recover',
    };
  });

const ghosts = (host: Host, boot: string): readonly Attention[] =>
  [...host.vms.values()].flatMap((vm) =>
    vm.power.is === 'running' && vm.power.bootId !== boot
      ? [{ object: vm.name, problem: 'ran when the host went down', next: 'domtrail recover' }]
      : [],
  );

const scarce = (pools: readonly SeenPool[]): readonly Attention[] =>
  pools.flatMap(({ pool, usage }) =>
    warningsOf(pool, usage).map((problem) => ({
      object: pool.name,
      problem,
      next: 'domtrail gc   or   domtrail pool list',
    })),
  );

/** A look at the file's inode and time; its content is read only where those are not as they were left. */
const document = ({ host, ledger, home }: Reading): readonly Attention[] => {
  const look = lookAtDocument(ledger, home.qubesXml);
  const next = `domtrail drift ${DOCUMENT}`;
  if (look.is === 'missing') return [{ object: DOCUMENT, problem: 'is missing', next }];
  if (look.is !== 'foreign' || isLeftAlone(host, look.digest)) return [];
  return [{ object: DOCUMENT, problem: 'was changed by somebody else', next }];
};

const bytesOf = (trash: readonly { readonly disk: { readonly bytes: number } }[]): number =>
  trash.reduce((sum, { disk }) => sum + disk.bytes, 0);

const trashIn = (host: Host, now: number) => {
  const all = [...host.trash.values()];
  const { due, next } = dueTrash(host, now);
  return {
    disks: all.length,
    bytes: bytesOf(all),
    due: { disks: due.length, bytes: bytesOf(due) },
    nextDue: next === null ? null : utcTime(next),
  };
};

const trashText = ({ disks, bytes, due, nextDue }: ReturnType<typeof trashIn>): string => {
  const all = `${counted(disks, 'disk')}, ${formatBytes(bytes)}`;
  if (due.disks > 0) return `${all}; ${due.disks} may go (${formatBytes(due.bytes)}): domtrail gc`;
  return nextDue === null ? all : `${all}; gc may erase the first at ${localTime(Date.parse(nextDue))}`;
};

type Now = {
  readonly now: number;
  readonly ahead: ReadonlyMap<string, Forecast>;
  readonly boot: string | null;
  readonly seen: readonly SeenPool[];
  readonly files: readonly Attention[];
};

/** Commands whose looks at the pools are enough to see where they are going. */
const ENOUGH_COMMANDS = 500;

const forecastIn = (ahead: ReadonlyMap<string, Forecast>, pool: string) => {
  const forecast = ahead.get(pool);
  return forecast ? { of: forecast.of, fullAt: utcTime(Math.round(forecast.at)), bytesPerDay: forecast.perDay } : null;
};

const summary = (host: Host, { now, ahead, boot, seen, files }: Now) => {
  const vms = [...host.vms.values()].filter((vm) => vm.class !== 'AdminVM');
  const running = vms.filter((vm) => vm.power.is === 'running').length;
  return {
    vms: { running, halted: vms.length - running },
    volumes: vms.flatMap(volumesOf).length,
    pools: [...host.pools.values()].map(({ name, driver }) => ({
      name,
      driver,
      usage: seen.find(({ pool }) => pool.name === name)?.usage ?? null,
      forecast: forecastIn(ahead, name),
    })),
    trash: trashIn(host, now),
    attention: [
      ...unfinished(host, boot !== null),
      ...(boot === null ? [] : ghosts(host, boot)),
      ...dirtyVolumes(host),
      ...files,
      ...scarce(seen),
    ],
  };
};

/** What is further away than that is no news. */
const SOON = 90 * 86_400_000;

const poolText =
  ({ now, ahead }: Now) =>
  ({ name, driver, usage }: ReturnType<typeof summary>['pools'][number]): string => {
    const full = usage === null ? '' : `, ${Math.round((usage.usedBytes / Math.max(1, usage.bytes)) * 100)} % used`;
    const forecast = ahead.get(name);
    const when = forecast && forecast.at - now < SOON ? `, ${forecastText(forecast, now)}` : '';
    return `${escapeText(name)} (${driver}${full}${when})`;
  };

/** So many of a kind are named each; more are counted. */
const MOST_ALIKE = 3;
/** Two lines each, and the whole page is one screen. */
const MOST_SHOWN = 8;

/** Five hundred VMs that ran when the host went down are one thing to know. */
const together = (all: readonly Attention[]): readonly Attention[] => {
  const byProblem = new Map<string, Attention[]>();
  for (const one of all) byProblem.set(one.problem, [...(byProblem.get(one.problem) ?? []), one]);
  return [...byProblem.values()].flatMap((alike) => {
    const [first] = alike;
    if (!first || alike.length <= MOST_ALIKE) return alike;
    return [{ ...first, object: `${first.object} and ${alike.length - 1} more` }];
  });
};

const attentionLines = (attention: readonly Attention[]): readonly string[] => {
  const all = together(attention);
  const shown = all.length > MOST_SHOWN ? all.slice(0, MOST_SHOWN - 1) : all;
  const lines = shown.flatMap(({ object, problem, next }) => [
    `  ${escapeText(object)}  ${escapeText(problem)}`,
    `      next: ${escapeText(next)}`,
  ]);
  return all.length > shown.length
    ? [...lines, `  and ${all.length - shown.length} more: domtrail status --json`]
    : lines;
};

type Heading = { readonly position: number; readonly time: number | null; readonly home: string };

const page = (item: ReturnType<typeof summary>, { position, time, home }: Heading, now: Now): string => {
  const lines = [
    `HOME    ${escapeText(home)}`,
    `EVENTS  ${position}${time === null ? '' : `, the last at ${localTime(time)}`}`,
    `VMS     ${item.vms.running} running, ${item.vms.halted} halted; ${counted(item.volumes, 'volume')}`,
    `POOLS   ${item.pools.map(poolText(now)).join(', ') || 'none'}`,
    `TRASH   ${trashText(item.trash)}`,
  ];
  const rest =
    item.attention.length === 0 ? ['nothing needs attention'] : ['ATTENTION', ...attentionLines(item.attention)];
  return `${[...lines, ...rest].join('\n')}\n`;
};

const ofThen = (time: number): Now => ({ now: time, ahead: new Map(), boot: null, seen: [], files: [] });

const ofNow = async (host: Host, files: readonly Attention[], looks: readonly SeenThen[]): Promise<Now> => {
  const seen = await lookAtPools(host);
  const now = Date.now();
  return { now, ahead: forecastsOf(looks, seen, now), boot: bootId(), seen, files };
};

const status: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'status');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger, home, past } = reading.value;
    // A copy or a past state says nothing about this boot of this machine.
    const elsewhere = past || args.text('db') !== undefined;
    const files = elsewhere ? [] : document(reading.value);
    const looks = elsewhere ? [] : newestUsage(ledger, ENOUGH_COMMANDS);
    closeLedger(ledger);
    const now = elsewhere ? ofThen(asOf.time ?? 0) : await ofNow(host, files, looks);
    const item = summary(host, now);
    if (args.flag('json')) outJson('status', asOf, { item: { home: home.dir, ...item } });
    else out(page(item, { ...asOf, home: args.text('db') ?? home.dir }, now));
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(status, 'status', argv);
