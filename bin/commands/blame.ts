import type { Recorded } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { type Host, volumeOf } from '../../domain/host/host.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import { currentOf } from '../../domain/volume/volume.ts';
import { wordsOf } from '../../domain/words.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { causeText } from '../../infrastructure/cli/breach.ts';
import { concerns } from '../../infrastructure/cli/concerns.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { eventItem } from '../../infrastructure/cli/event-item.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { eventAt, findCommand, type StoredCommand } from '../../infrastructure/ledger/queries.ts';
import { auditOf, auditProjection } from '../../projections/audit/audit.ts';
import { diskById, volumesProjection } from '../../projections/volumes/volumes.ts';
import { driverFor, openReading, type Reading, tablesAt } from '../compose.ts';

const HELP = `domtrail blame: which command and event made it what it is

  domtrail blame work:private                      its committed disk
  domtrail blame qubes_dom0/vm-work-private-snap   an LV, or the path of a file
  domtrail blame file:1234-5678                    a disk by its id
  domtrail blame work                              a VM: settings, starts, stops
`;

/** What to look for: events about `object`, and of those the ones that speak of `disk`, if one is meant. */
type Target = { readonly object: string; readonly disk: string | null; readonly name: string | null };

/** The disk that lies under a name or path now, or in the trash. */
const diskNamed = (host: Host, text: string): Target | null => {
  for (const volume of [...host.vms.values()].flatMap(volumesOf)) {
    const pool = host.pools.get(volume.spec.pool);
    if (!pool || pool.driver === 'linux-kernel') continue;
    const driver = driverFor(pool);
    for (const { disk, role } of disksOf(volume)) {
      const place = placeOf(volume, role);
      if (disk.id === text || driver.nameOf(place) === text || driver.pathOf(place) === text) {
        return { object: volume.spec.key, disk: disk.id, name: driver.nameOf(place) };
      }
    }
  }
  const trash = [...host.trash.values()].find(({ disk }) => disk.id === text);
  return trash ? { object: trash.from, disk: trash.disk.id, name: null } : null;
};

const targetOf = ({ host, ...reading }: Reading, text: string): Result<Target, Failure> => {
  const volume = text.includes(':') ? volumeOf(host, text as VolumeKey) : undefined;
  if (volume) return ok({ object: text, disk: currentOf(volume)?.id ?? null, name: null });
  if (host.vms.has(text as never)) return ok({ object: text, disk: null, name: null });
  const named = diskNamed(host, text);
  if (named) return ok(named);
  const gone = diskById(tablesAt({ host, ...reading }, volumesProjection), text);
  if (gone) return ok({ object: gone.volume, disk: gone.disk, name: null });
  return err(
    failure('D_NOT_FOUND', `the log knows no ${text}`, { next: `domtrail log ${text}   searches every event` }),
  );
};

/** A disk's own events; a volume without a disk, or a VM, is told by all of its facts. */
const eventsFor = (reading: Reading, { object, disk }: Target): readonly Recorded[] => {
  const entries = auditOf(tablesAt(reading, auditProjection), object, reading.asOf.position);
  const events = entries.flatMap(({ position }) => eventAt(reading.ledger, position) ?? []);
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

const blame: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OBJECT'], 'blame');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { ledger, asOf } = reading.value;
    try {
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
