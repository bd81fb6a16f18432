import type { Recorded } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { volumeOf } from '../../domain/host/host.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { currentOf } from '../../domain/volume/volume.ts';
import { wordsOf } from '../../domain/words.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { causeText } from '../../infrastructure/cli/breach.ts';
import { concerns } from '../../infrastructure/cli/concerns.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { eventItem } from '../../infrastructure/cli/event-item.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { eventAt, findCommand, type StoredCommand } from '../../infrastructure/ledger/queries.ts';
import { auditOf, auditProjection, newestEntries } from '../../projections/audit/audit.ts';
import { blameAspect } from '../blame-aspect.ts';
import type { Blamed } from '../blame-setting.ts';
import { openReading, type Reading, tablesAt } from '../compose.ts';
import { diskNamed, nameInPool, type Target, volumeOfName } from '../disk-named.ts';
import { diskSeen } from '../disks-seen.ts';

const HELP = `domtrail blame: which command and event made it what it is

  domtrail blame work:private                      its committed disk
  domtrail blame qubes_dom0/vm-work-private-snap   an LV, or the path of a file
  domtrail blame file:1234-5678                    a disk by its id
  domtrail blame work                              a VM: settings, starts, stops
  domtrail blame work netvm                        a property, as qubes.xml names it
  domtrail blame work feature:gui                  a feature, or tag:NAME
  domtrail blame work:private revisions_to_keep    a volume's rw, ephemeral, size
  domtrail blame work firewall                     each rule, with its change
  domtrail blame work rule:2                       one rule, or the rule's text
  domtrail blame global default_netvm              a property of the host

Names of disks, volumes and VMs that are gone are known, too, also those that only
LVM's archive speaks of (adopt --lvm-archive).
`;

const targetOf = ({ host, ...reading }: Reading, text: string): Result<Target, Failure> => {
  const volume = text.includes(':') ? volumeOf(host, text as VolumeKey) : undefined;
  if (volume) return ok({ object: text, disk: currentOf(volume)?.id ?? null, name: null });
  if (host.vms.has(text as never)) return ok({ object: text, disk: null, name: null });
  const named = diskNamed(host, text);
  if (named) return ok(named);
  const gone = diskSeen({ host, ...reading }, text);
  if (gone) return ok({ object: gone.volume, disk: gone.disk, name: null });
  const audit = tablesAt({ host, ...reading }, auditProjection);
  if (newestEntries(audit, text, { after: 0, upTo: host.position, limit: 1 }).length > 0)
    return ok({ object: text, disk: null, name: null });
  const byLvm = `lv ${nameInPool(host, text)}`;
  const volumeOnce = volumeOfName(host, audit, text);
  if (volumeOnce) return ok({ object: volumeOnce, disk: null, name: nameInPool(host, text) });
  if (newestEntries(audit, byLvm, { after: 0, upTo: host.position, limit: 1 }).length > 0)
    return ok({ object: byLvm, disk: null, name: null });
  return err(
    failure('D_NOT_FOUND', `the log knows no ${text}`, { next: `domtrail log ${text}   searches every event` }),
  );
};

/** A disk's own events; a volume without a disk, or a VM, is told by all of its facts. */
const eventsFor = (reading: Reading, { object, disk, name }: Target): readonly Recorded[] => {
  const entries = auditOf(tablesAt(reading, auditProjection), object, reading.asOf.position);
  const events = entries.flatMap(({ position }) => eventAt(reading.ledger, position) ?? []);
  if (disk === null && name !== null) return events.filter(concerns(name));
  if (disk === null)
    return events.filter(({ event }) => !event.type.startsWith('Step') && event.type !== 'CommandAccepted');
  const speaksOf = concerns(disk);
  return events.filter(speaksOf);
};

const lines = (events: readonly Recorded[], commands: ReadonlyMap<string, StoredCommand>): readonly string[] => {
  let last = '';
  return events.flatMap((one) => {
    const command = commands.get(one.command);
    const head = one.command !== last && command ? [`  ${localTime(one.time)}  ${escapeText(causeText(command))}`] : [];
    last = one.command;
    const argv =
      one.event.type === 'StepDone'
        ? one.event.evidence.argv.map((words) => `          $ ${words.map(escapeText).join(' ')}`)
        : [];
    return [...head, `    ev:${one.position}  ${escapeText(wordsOf(one.event))}`, ...argv];
  });
};

const aspectText = ({ what, value, recorded }: Blamed, command: StoredCommand | null): string => {
  const now = `${what}  ${value === null ? '(not set)' : value}`;
  if (!recorded) return `${escapeText(now)}\n  never changed\n`;
  const cause = command ? `\n  ${escapeText(causeText(command))}` : '';
  return `${escapeText(now)}\n  ev:${recorded.position}  ${localTime(recorded.time)}  ${escapeText(wordsOf(recorded.event))}${cause}\n`;
};

const tellAspect = (args: Arguments, reading: Reading, object: string, aspect: string): Result<number, Failure> => {
  const blamed = blameAspect(reading, object, aspect);
  if (!blamed.ok) return blamed;
  const commandOf = (one: Blamed): StoredCommand | null => {
    const found = one.recorded ? findCommand(reading.ledger, one.recorded.command) : null;
    return found?.ok ? found.value : null;
  };
  if (args.flag('json')) {
    const settings = blamed.value.map((one) => ({
      what: one.what,
      value: one.value,
      event: one.recorded ? eventItem(one.recorded, commandOf(one)?.actor ?? null) : null,
    }));
    outJson('blame', reading.asOf, { item: { object, aspect, settings } });
  } else out(blamed.value.map((one) => aspectText(one, commandOf(one))).join(''));
  return ok(0);
};

const blame: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OBJECT', 'SETTING'], 'blame', 1);
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { ledger, asOf } = reading.value;
    try {
      const [object = '', aspect] = words.value;
      if (aspect !== undefined) return tellAspect(args, reading.value, object, aspect);
      const target = targetOf(reading.value, words.value[0] ?? '');
      if (!target.ok) return target;
      const events = eventsFor(reading.value, target.value);
      const commands = new Map<string, StoredCommand>();
      for (const { command } of events) {
        const found = commands.has(command) ? null : findCommand(ledger, command);
        if (found?.ok) commands.set(command, found.value);
      }
      if (args.flag('json')) {
        const items = events.map((one) => eventItem(one, commands.get(one.command)?.actor ?? null));
        outJson('blame', asOf, { item: { ...target.value, events: items } });
      } else {
        const { object, disk, name } = target.value;
        out(
          `${escapeText([object, name, disk].filter((part) => part !== null).join('  '))}\n${lines(events, commands).join('\n')}\n`,
        );
      }
      return ok(0);
    } finally {
      closeLedger(ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(blame, 'blame', argv);
