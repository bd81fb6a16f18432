import { hostname } from 'node:os';
import type { Recorded } from '../domain/event.ts';
import type { Host } from '../domain/host/host.ts';
import { volumesOf as volumesIn } from '../domain/vm/vm.ts';
import { localTime, utcTime } from '../infrastructure/cli/text.ts';
import { pageOfEvents } from '../infrastructure/ledger/event-pages.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import type { Clock, Report, ReportedVolume } from '../projections/report/report.ts';
import type { Reading } from './compose.ts';
import { disksSeen, volumesSeen } from './disks-seen.ts';
import { knownCommands, tellerOf } from './event-teller.ts';
import type { Span } from './log-events.ts';
import { commandsBehind } from './report-commands.ts';
import { pastUpTo, resumedAbout } from './volume-past.ts';

/** Volumes that get a picture, those that changed last; lines of a picture. More of either makes a page nobody reads. */
const MOST_VOLUMES = 120;
const MOST_LINES = 60;
const PAGE = 2000;

const eventsIn = (ledger: Ledger, { after, upTo }: Span): readonly Recorded[] => {
  const events: Recorded[] = [];
  for (let last = after; ; ) {
    const page = pageOfEvents(ledger, { by: 'all' }, { after: last, upTo, limit: PAGE, newestFirst: false });
    for (const { recorded } of page) events.push(recorded);
    const end = page.at(-1);
    if (!end || page.length < PAGE) return events;
    last = end.recorded.position;
  }
};

const headAt = (ledger: Ledger, position: number): string => {
  const which = { after: position - 1, upTo: position, limit: 1, newestFirst: true };
  return pageOfEvents(ledger, { by: 'all' }, which)[0]?.hash ?? '-';
};

/** The reader sees the host's own time; which that is stands in the head of the report. */
const clock = (): Clock => ({
  zone: `${Intl.DateTimeFormat().resolvedOptions().timeZone}, where this was made`,
  day: (ms) => localTime(ms).slice(0, 10),
  time: (ms) => localTime(ms).slice(11),
  iso: utcTime,
});

const vmOf = (volume: string): string => volume.slice(0, volume.lastIndexOf(':'));

type Volumes = Pick<Report, 'volumes' | 'volumesLeftOut' | 'volumesWithoutDisk'>;

const withoutDisk = (host: Host, having: ReadonlySet<string>): readonly string[] =>
  [...host.vms.values()]
    .flatMap(volumesIn)
    .flatMap(({ spec: { key } }) => (having.has(key) ? [] : [key]))
    .sort();

const volumesOf = (reading: Reading): Volumes => {
  const all = volumesSeen(reading);
  const shown = all.slice(0, MOST_VOLUMES).sort();
  const volumes = shown.map(
    (volume, index): ReportedVolume => ({
      volume,
      vm: vmOf(volume),
      anchor: `volume-${index + 1}`,
      disks: disksSeen(reading, volume),
      past: pastUpTo(reading.ledger, volume, reading.asOf.position, resumedAbout(reading, volume)),
      most: MOST_LINES,
    }),
  );
  return {
    volumes,
    volumesLeftOut: all.length - shown.length,
    volumesWithoutDisk: withoutDisk(reading.host, new Set(all)),
  };
};

/** Everything a report shows: commands, failures and pools of a span of events, and the volumes with all their past. */
export const reportData = (reading: Reading, span: Span, file: string | undefined): Report => {
  const { ledger, asOf, home } = reading;
  const events = eventsIn(ledger, span);
  const find = knownCommands(ledger);
  return {
    host: file === undefined ? hostname() : null,
    ledger: file ?? home.ledger,
    position: asOf.position,
    time: asOf.time,
    head: headAt(ledger, asOf.position),
    ...span,
    events,
    ...commandsBehind(events, find),
    ...volumesOf(reading),
    clock: clock(),
    tell: tellerOf(ledger, find),
  };
};
