import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { openReading } from '../../bin/compose.ts';
import { diskSeen, disksSeen, volumesSeen } from '../../bin/disks-seen.ts';
import { pastUpTo } from '../../bin/volume-past.ts';
import type { Command } from '../../domain/decide.ts';
import type { Disk, DiskId } from '../../domain/disk.ts';
import type { DomainEvent } from '../../domain/event.ts';
import { currentOf } from '../../domain/volume/volume.ts';
import { foldTo } from '../../infrastructure/ledger/fold.ts';
import type { Ledger } from '../../infrastructure/ledger/ledger.ts';
import { timeOf } from '../../infrastructure/ledger/queries.ts';
import { record } from '../../infrastructure/ledger/record.ts';
import { diskById, disksOfVolume, volumesProjection } from '../../projections/volumes/volumes.ts';
import * as to from '../domain/commands.ts';
import { OWNER, type Story } from '../domain/given.ts';
import { smallHost, wideHost } from '../domain/hosts.ts';
import { must } from '../ledger/fixture.ts';
import { type Choice, choices, commandFor } from '../runner/choices.ts';
import { writeHistory } from '../scenarios/write-history.ts';
import { tablesAfter } from './tables.ts';

type Reading = Extract<ReturnType<typeof openReading>, { ok: true }>['value'];

const readingAt = (ledger: Ledger, position: number): Reading => ({
  home: {} as Reading['home'],
  ledger,
  host: foldTo(ledger, position),
  asOf: { position, time: timeOf(ledger, position) },
  past: true,
  live: false,
});

/** Everything that a replay of the whole log up to a position says about disks, held against what is seen without one. */
const expectTheSame = (story: Story, ledger: Ledger, position: number): void => {
  const { sql } = tablesAfter(volumesProjection, story.log.slice(0, position));
  const reading = readingAt(ledger, position);
  const rows = sql.all('SELECT disk, volume FROM volumes_disk');
  const volumes = [...new Set(rows.map(({ volume }) => String(volume)))];
  expect([...volumesSeen(reading)].sort()).toEqual(volumes.sort());
  for (const volume of volumes) expect(disksSeen(reading, volume)).toEqual(disksOfVolume(sql, volume));
  for (const { disk } of rows) expect(diskSeen(reading, String(disk))).toEqual(diskById(sql, String(disk)));
};

const history = (draws: readonly Choice[]): Story => {
  const story = wideHost();
  for (const draw of draws) {
    const command = commandFor(draw, story.host);
    story.now += 1000;
    if (command) story.submit(command);
  }
  return story;
};

/** What an adoption records at once, without the look at storage that it is decided by. */
const adopts = (story: Story, name: 'AdoptDrift' | 'AdoptMoved', facts: readonly DomainEvent[]): void => {
  const id = `c${story.decided.length + 1}`;
  const command = { name, payload: {} } as unknown as Command;
  story.decided.push({ id, command, context: story.context(), position: story.host.position + 1 });
  const plan = { main: [], facts: [], cleanup: [] };
  story.record(id, [{ type: 'CommandAccepted', name, digest: id, plan, holds: [], owner: OWNER }, ...facts]);
};

const currentDisk = (story: Story, key: string): Disk => {
  const current = currentOf(story.volume(key));
  if (!current) throw new Error(`${key} has no disk`);
  return current;
};

const expectTheSameEverywhere = (story: Story): void => {
  const ledger = writeHistory(story);
  for (let position = story.log.length; position > 0; position -= 3) expectTheSame(story, ledger, position);
};

describe('the disks of a moment, from the events of one volume', () => {
  test('are those that a replay of the whole log gives, whatever happened before and after', () => {
    fc.assert(
      fc.property(choices(25), fc.array(fc.nat({ max: 9999 }), { minLength: 4, maxLength: 4 }), (draws, moments) => {
        const story = history(draws);
        const ledger = writeHistory(story);
        for (const moment of moments) expectTheSame(story, ledger, 1 + (moment % story.log.length));
        ledger.db.close();
      }),
      { numRuns: 5 },
    );
  }, 60_000);

  test('also where a moved home gave every disk another identity', () => {
    const story = smallHost().after(to.start('work'), to.stop('work'), to.start('work'), to.stop('work'));
    const volumes = ['fedora:root', 'fedora:private', 'work:private'] as const;
    adopts(
      story,
      'AdoptMoved',
      volumes.map((volume) => {
        const was = currentDisk(story, volume).id;
        return {
          type: 'VolumeReidentified',
          volume: volume as never,
          disks: [{ was, now: `${was}-moved` as DiskId }],
        } as never;
      }),
    );
    story.record('c-late', []);
    expectTheSameEverywhere(story);
  });

  test('also where two disks had changed places, and where one came from nowhere else in the log', () => {
    const story = smallHost().after(to.appVm('mail', { template: 'fedora' }), to.start('work'), to.stop('work'));
    story.after(to.start('mail'), to.stop('mail'));
    const [work, mail] = [currentDisk(story, 'work:private'), currentDisk(story, 'mail:private')];
    const taken = (volume: string, was: Disk, disk: Disk) =>
      ({ type: 'DisksAccepted', volume, disks: [{ was: was.id, disk, name: 'x', origin: null }] }) as never;
    adopts(story, 'AdoptDrift', [taken('work:private', work, mail), taken('mail:private', mail, work)]);
    adopts(story, 'AdoptDrift', [taken('fedora:private', currentDisk(story, 'fedora:private'), work)]);
    expectTheSameEverywhere(story);
  });
});

test('what befell a volume is told from its first event, however many there are', () => {
  const story = smallHost().after(to.start('work'), to.stop('work'), to.revert('work:private', null));
  const change = (revisionsToKeep: number) => ({
    type: 'VolumeChanged',
    volume: 'work:private',
    change: { revisionsToKeep },
  });
  const ledger = writeHistory(story);
  const many = Array.from({ length: 6000 }, (_, n) => ({ ...change(n % 5), before: { revisionsToKeep: 1 } }) as never);
  must(record(ledger, { command: 'c-many', time: story.now }, many));
  const { turns } = pastUpTo(ledger, 'work:private', Number.MAX_SAFE_INTEGER, new Set());
  expect(turns).toMatchObject([{ is: 'reverted' }]);
});
