import { describe, expect, test } from 'vitest';
import type { Command } from '../../domain/decide.ts';
import type { PoolUsage } from '../../domain/pool/usage.ts';
import * as to from './commands.ts';
import type { Story } from './given.ts';
import { smallHost } from './hosts.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** 100 GiB, so the reserve is 4 GiB; 128 MiB of metadata, of which a tenth is kept back. */
const ROOMY: PoolUsage = {
  bytes: 100 * GIB,
  usedBytes: 10 * GIB,
  metadataBytes: 128 * MIB,
  metadataUsedBytes: 20 * MIB,
};

const seen = (story: Story, usage: Partial<PoolUsage>, data: Readonly<Record<string, number>> = {}): Story => {
  story.usage = { pools: [{ pool: 'lvm' as never, ...ROOMY, ...usage }], data };
  return story;
};

/** Everything of the pool is in use. */
const FULL = { usedBytes: 100 * GIB, metadataUsedBytes: 128 * MIB, trouble: 'out-of-data' } as const;

const codeOf = (story: Story, command: Command): string => {
  const { decision } = story.when(command);
  return decision.ok ? 'accepted' : decision.error.code;
};

/** `work` runs with a revision of its private volume. */
const running = (): Story => smallHost().after(to.start('work'), to.stop('work'), to.start('work'));

describe('a command whose worst case would pass the reserve', () => {
  test('is refused, and the sentence says how much is left and how much it takes', () => {
    seen(smallHost(), { usedBytes: 96 * GIB - 2 * MIB })
      .when(to.start('work'))
      .thenRejected(
        'D_POOL_RESERVE',
        'pool lvm has 2.0 MiB of data left above its reserve of 4.0 GiB, and this takes up to 3.0 MiB',
      );
  });

  test('is accepted as long as it fits, to the byte', () => {
    const story = smallHost();
    expect(codeOf(seen(story, { usedBytes: 96 * GIB - 3 * MIB }), to.start('work'))).toBe('accepted');
    expect(codeOf(seen(story, { usedBytes: 96 * GIB - 3 * MIB + 1 }), to.start('work'))).toBe('D_POOL_RESERVE');
  });

  test('counts metadata as well: of a thin pool either can run out', () => {
    seen(smallHost(), { metadataUsedBytes: 116 * MIB })
      .when(to.cloneVm('work', 'copy'))
      .thenRejected('D_POOL_RESERVE', /of metadata left above its reserve of 12.8 MiB/);
  });

  test('of small metadata keeps back the quarter that LVM itself wants free', () => {
    const small = { metadataBytes: 4 * MIB, metadataUsedBytes: 3 * MIB };
    expect(codeOf(seen(smallHost(), small), to.addVolume('work:extra'))).toBe('D_POOL_RESERVE');
    expect(codeOf(seen(smallHost(), { ...small, metadataUsedBytes: 2.9 * MIB }), to.addVolume('work:extra'))).toBe(
      'accepted',
    );
  });

  test('an import counts the data of its file, not the holes in it and not the size of the volume', () => {
    const story = smallHost();
    const left10GiB = { usedBytes: 86 * GIB };
    const image = to.importFile('work:private', '/tmp/a.img', 20 * GIB);
    expect(codeOf(seen(story, left10GiB), image)).toBe('D_POOL_RESERVE');
    expect(codeOf(seen(story, left10GiB, { '/tmp/a.img': 9 * GIB }), image)).toBe('accepted');
    expect(codeOf(seen(story, left10GiB, { '/tmp/a.img': 11 * GIB }), image)).toBe('D_POOL_RESERVE');
  });

  test('virtual sizes count for nothing: thin pools are there to be overcommitted', () => {
    const story = seen(smallHost(), {});
    expect(codeOf(story, to.resize('work:private', 2 ** 45))).toBe('accepted');
    expect(codeOf(story, to.addVolume('work:extra', { bytes: 2 ** 45 }))).toBe('accepted');
  });

  test('nothing is said about a pool that nobody looked at', () => {
    expect(codeOf(smallHost(), to.start('work'))).toBe('accepted');
  });
});

describe('what saves data or makes room is never refused', () => {
  const story = running().after(to.stopDiscarding('work'));
  const cases: readonly (readonly [string, Story, Command])[] = [
    ['stop', running(), to.stop('work')],
    ['stop and discard', running(), to.stopDiscarding('work')],
    ['kill', running(), to.kill('work')],
    ['commit', running(), to.commit('work:private')],
    ['remove', story, to.removeVm('work')],
    ['fewer revisions', story, to.keep('work:private', 0)],
    ['gc', story, to.collect()],
    ['export', story, to.exportTo('work:private')],
  ];
  test.each(cases)('%s', (_what, host, command) => {
    expect(codeOf(seen(host, FULL), command)).toBe('accepted');
    // A commit under a running VM goes on in a new snapshot, which a closed pool cannot make.
    const closed = command.name === 'CommitVolume' ? 'D_POOL_READ_ONLY' : 'accepted';
    expect(codeOf(seen(host, { ...FULL, trouble: 'read-only' }), command)).toBe(closed);
  });

  test('a revert needs no data; it is refused only where not even its snapshot would fit', () => {
    const halted = smallHost().after(to.start('work'), to.stop('work'));
    expect(codeOf(seen(halted, { usedBytes: 100 * GIB }), to.revert('work:private'))).toBe('accepted');
    expect(codeOf(seen(halted, FULL), to.revert('work:private'))).toBe('D_POOL_RESERVE');
  });
});

describe('what could be freed', () => {
  test('is listed: trash, revisions that retention can let go, pinned ones named; the first is the next step', () => {
    const story = smallHost(3).after(to.start('work'), to.stop('work'), to.start('work'), to.stop('work'));
    const [oldest] = story.volume('work:private').revisions;
    story.after(to.pin('work:private', oldest?.id ?? ''));
    story.record('given', [
      {
        type: 'DiskTrashed',
        disk: { id: 'disk-t' as never, bytes: GIB },
        place: { pool: 'lvm' as never, vid: 'qubes_dom0/vm-old-private', role: { kind: 'trash', position: 1 } },
        from: 'old:private',
        why: 'removed',
      },
    ]);
    const { decision } = seen(story, FULL).when(to.start('work'));
    expect(decision.ok ? null : decision.error).toMatchObject({
      next: 'domtrail gc --all --yes',
      couldFree: [
        { is: 'trash', object: 'old:private', bytes: GIB, next: 'domtrail gc --all --yes' },
        { is: 'revision', next: 'domtrail volume set work:private revisions_to_keep=0' },
        { is: 'pinned', object: `work:private@${oldest?.id}`, next: expect.stringContaining('volume unpin') },
      ],
    });
  });

  test('with nothing to free the next step is to enlarge what is short', () => {
    const next = (usage: Partial<PoolUsage>): string | undefined => {
      const { decision } = seen(smallHost(), usage).when(to.start('work'));
      return decision.ok ? undefined : decision.error.next;
    };
    expect(next({ usedBytes: 100 * GIB })).toBe('lvm lvextend --size +SIZE qubes_dom0/vm-pool');
    expect(next({ metadataUsedBytes: 128 * MIB })).toBe('lvm lvextend --poolmetadatasize +SIZE qubes_dom0/vm-pool');
  });
});

describe('a pool that takes no writes', () => {
  test.each([
    ['read-only', 'D_POOL_READ_ONLY'],
    ['failed', 'D_POOL_DAMAGED'],
  ] as const)('%s: nothing is made in it', (trouble, code) => {
    const story = seen(smallHost(), { trouble });
    for (const command of [to.start('work'), to.cloneVm('work', 'copy'), to.importFile('work:private')]) {
      story.when(command).thenRejected(code);
    }
  });
});

describe('the reserve', () => {
  test('is set in percent, and back to what suits the size', () => {
    const story = smallHost().after(to.setReserve('lvm', { data: 50, metadata: 10 }));
    expect(codeOf(seen(story, { usedBytes: 51 * GIB }), to.start('work'))).toBe('D_POOL_RESERVE');
    story.usage = null;
    story.after(to.setReserve('lvm', null));
    expect(codeOf(seen(story, { usedBytes: 51 * GIB }), to.start('work'))).toBe('accepted');
    story.when(to.setReserve('lvm', null)).thenNothing();
  });

  test('of a pool that is not there, or holds no disks, cannot be set', () => {
    smallHost().when(to.setReserve('nowhere', null)).thenRejected('D_NOT_FOUND');
    smallHost().when(to.setReserve('linux-kernel', null)).thenRejected('D_DRIVER_REFUSES');
  });
});
