import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DiskId } from '../../domain/disk.ts';
import type { Fact } from '../../domain/event.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { bytesOf, currentOf } from '../../domain/volume/volume.ts';
import { type DiskRow, diskById, disksOfVolume, volumesProjection } from '../../projections/volumes/volumes.ts';
import * as to from '../domain/commands.ts';
import { given, type Story } from '../domain/given.ts';
import { smallHost, wideHost } from '../domain/hosts.ts';
import { type Choice, choices, commandFor } from '../runner/choices.ts';
import { tablesAfter } from './tables.ts';

const KEY = 'work:private';
const disks = (story: Story, key = KEY): readonly DiskRow[] =>
  disksOfVolume(tablesAfter(volumesProjection, story.log).sql, key);
const newestRevision = (story: Story): string => story.volume(KEY).revisions.at(-1)?.id ?? '';
const roles = (story: Story, key = KEY): readonly string[] => disks(story, key).map(({ role }) => role);
const parentOf = (rows: readonly DiskRow[], role: string): DiskRow | undefined => {
  const child = rows.find((row) => row.role === role);
  return rows.find((row) => row.disk === child?.origin);
};

describe('the disks of a volume', () => {
  test('a session starts from the committed state, and a commit makes the one a revision and the other committed', () => {
    const story = smallHost().after(to.start('work'));
    expect(roles(story)).toEqual(['current', 'session']);
    story.after(to.stop('work'));
    const rows = disks(story);
    expect(rows.map(({ role }) => role)).toEqual(['revision', 'current']);
    expect(parentOf(rows, 'current')).toMatchObject({
      role: 'revision',
      revision: newestRevision(story),
      how: 'VolumeProvisioned',
    });
  });

  test('a committed state knows since when it is one, and which command made its disk', () => {
    const story = smallHost().after(to.start('work'), to.stop('work'));
    const [first, second] = disks(story);
    const commit = story.log.find(({ event }) => event.type === 'SessionCommitted' && event.volume === KEY);
    const opened = story.log.find(({ event }) => event.type === 'SessionOpened' && event.volume === KEY);
    expect(first?.committed).toBe(first?.made);
    expect(second).toMatchObject({ made: opened?.position, committed: commit?.position, command: opened?.command });
  });

  test('a retired revision keeps its name and says why it went', () => {
    const story = smallHost().after(to.start('work'), to.stop('work'));
    const revision = newestRevision(story);
    story.after(to.start('work'), to.stop('work'));
    expect(disks(story)[0]).toMatchObject({ role: 'gone', revision, why: 'retention' });
    expect(disks(story)[0]?.gone).toBeGreaterThan(0);
  });

  test('a reverted state goes on from the revision, not from the state it replaced', () => {
    const story = smallHost(5).after(to.start('work'), to.stop('work'), to.start('work'), to.stop('work'));
    const oldest = disks(story)[0];
    story.after(to.revert(KEY, oldest?.revision ?? null));
    const now = disks(story).find(({ role }) => role === 'current');
    expect(now).toMatchObject({ how: 'VolumeReverted', origin: oldest?.disk, source: oldest?.revision });
  });

  test('an import goes on from nothing and says where it came from', () => {
    const story = smallHost(5).after(to.importFile(KEY, '/images/one'));
    expect(disks(story).find(({ role }) => role === 'current')).toMatchObject({ origin: null, source: '/images/one' });
  });

  test('a clone goes on from the committed disk of its source, inside a pool and across pools', () => {
    const story = wideHost().after(to.addVolume('work:a'), to.addVolume('work:b', { pool: 'files' }));
    const [origin] = disks(story);
    story.after(to.cloneVolume(KEY, 'work:a'), to.cloneVolume(KEY, 'work:b'), to.cloneVm('work', 'copy'));
    for (const key of ['work:a', 'work:b', 'copy:private']) {
      expect(disks(story, key).find(({ role }) => role === 'current')?.origin, key).toBe(origin?.disk);
    }
  });

  test('a session that is committed while it runs goes on from the state just committed', () => {
    const story = smallHost(5).after(to.start('work'), to.commit(KEY));
    const rows = disks(story);
    expect(parentOf(rows, 'session')?.role).toBe('current');
    expect(parentOf(rows, 'current')?.role).toBe('revision');
    story.after(to.commit(KEY), to.stop('work'));
    const chain = ['current'];
    for (let at = parentOf(disks(story), 'current'); at; at = disks(story).find(({ disk }) => disk === at?.origin)) {
      chain.push(at.role);
    }
    expect(chain).toEqual(['current', 'revision', 'revision', 'revision']);
  });

  test('a pin is on the disk of the revision', () => {
    const story = smallHost(5).after(to.start('work'), to.stop('work'));
    const revision = newestRevision(story);
    story.after(to.pin(KEY, revision));
    expect(disks(story).map(({ pinned }) => pinned)).toEqual([true, false]);
    story.after(to.unpin(KEY, revision));
    expect(disks(story).map(({ pinned }) => pinned)).toEqual([false, false]);
  });

  test('disks outlive their VM', () => {
    const story = smallHost().after(to.removeVm('work'));
    expect(disks(story)).toMatchObject([{ role: 'trash', why: 'removed' }]);
    const { rows } = tablesAfter(volumesProjection, story.log);
    expect(rows('volumes_volume').map((row) => row['volume'])).not.toContain(KEY);
  });

  test('a size that is cut brings a new disk even where the uncut state is not kept', () => {
    const story = smallHost().after(to.keep(KEY, 0), to.resize(KEY, 2 ** 20, true));
    const [uncut, cut] = disks(story);
    expect(cut).toMatchObject({ role: 'current', how: 'VolumeResized', origin: uncut?.disk, bytes: 2 ** 20 });
    expect(uncut).toMatchObject({ why: 'not-kept' });
  });

  test('the disk of an undone command is known from its way out', () => {
    const disk = { id: 'made-in-vain' as DiskId, bytes: 512 };
    const place = { pool: 'lvm', vid: 'vg/vm-work-private', role: { kind: 'trash', position: 1 } };
    const fact = { type: 'DiskTrashed', disk, place, from: KEY, why: 'undone' } as unknown as Fact;
    const { sql } = tablesAfter(volumesProjection, given([fact]).log);
    expect(diskById(sql, disk.id)).toMatchObject({ volume: KEY, role: 'trash', why: 'undone', origin: null });
  });
});

/** A wide host and whatever the draws make of it. */
const history = (draws: readonly Choice[]): Story => {
  const story = wideHost();
  for (const draw of draws) {
    const command = commandFor(draw, story.host);
    story.now += 1000;
    if (command) story.submit(command);
  }
  return story;
};

describe('whatever happens to a host', () => {
  test('every disk of the state and of the trash has its role, every volume its row, and all the rest is gone', () => {
    fc.assert(
      fc.property(choices(40), (draws) => {
        const story = history(draws);
        const { rows } = tablesAfter(volumesProjection, story.log);
        const wanted = new Map<string, string>();
        const volumes = [...story.host.vms.values()].flatMap(volumesOf);
        for (const volume of volumes) for (const { disk, role } of disksOf(volume)) wanted.set(disk.id, role.kind);
        for (const { disk } of story.host.trash.values()) wanted.set(disk.id, 'trash');
        const found = rows('volumes_disk').filter((row) => row['role'] !== 'gone');
        expect(new Map(found.map((row) => [row['disk'], row['role']]))).toEqual(wanted);
        expect(
          rows('volumes_volume').map((row) => [
            row['volume'],
            row['situation'],
            row['bytes'],
            row['current_disk'],
            row['revisions'],
          ]),
        ).toEqual(
          volumes
            .map((one) => [
              one.spec.key,
              one.situation.is,
              bytesOf(one),
              currentOf(one)?.id ?? null,
              one.revisions.length,
            ])
            .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('tables beside the live ones get the same rows', () => {
    fc.assert(
      fc.property(choices(40), (draws) => {
        const story = history(draws);
        const live = tablesAfter(volumesProjection, story.log);
        const shadow = tablesAfter(volumesProjection, story.log, 'shadow_');
        for (const table of volumesProjection.tables) expect(shadow.rows(table)).toEqual(live.rows(table));
      }),
      { numRuns: 5 },
    );
  });
});
