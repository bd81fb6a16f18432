import { describe, expect, test } from 'vitest';
import type { Disk, DiskId } from '../../domain/disk.ts';
import type { TrashReason } from '../../domain/host/events.ts';
import { dueTrash, trashKept } from '../../domain/host/retention.ts';
import * as to from './commands.ts';
import type { Story } from './given.ts';
import { smallHost } from './hosts.ts';

const HOUR = 3_600_000;

const thrown = (story: Story, id: string, why: TrashReason): void => {
  const disk: Disk = { id: id as DiskId, bytes: 512 };
  const place = { pool: 'lvm' as never, vid: 'vg/vm-x', role: { kind: 'trash', position: 1 } } as const;
  story.record(`c-${id}`, [{ type: 'DiskTrashed', disk, place, from: 'x:private', why } as never]);
};

const due = (story: Story, after: number): readonly string[] =>
  dueTrash(story.host, story.now + after).due.map(({ disk }) => disk.id);

describe('what may be erased without anybody asking', () => {
  test('is what was removed 48 hours ago, and after an hour what nothing brings back', () => {
    const story = smallHost();
    thrown(story, 'removed', 'removed');
    thrown(story, 'retired', 'retention');
    expect(due(story, HOUR - 1)).toEqual([]);
    expect(due(story, HOUR)).toEqual(['retired']);
    expect(due(story, 48 * HOUR - 1)).toEqual(['retired']);
    expect(due(story, 48 * HOUR)).toEqual(['removed', 'retired']);
    expect(dueTrash(story.host, story.now).next).toBe(story.now + HOUR);
    expect(dueTrash(story.host, story.now + HOUR).next).toBe(story.now + 48 * HOUR);
    expect(dueTrash(story.host, story.now + 48 * HOUR).next).toBeNull();
  });

  test('is never what somebody else had made and an adoption put aside', () => {
    const story = smallHost();
    thrown(story, 'foreign', 'leftover');
    expect(dueTrash(story.host, story.now + 1000 * HOUR)).toEqual({ due: [], next: null });
  });

  test('is never more than gc would erase at that moment', () => {
    const story = smallHost().after(to.start('work'), to.stop('work'), to.removeVm('work'));
    for (const hours of [0, 1, 47, 48, 1000]) {
      const now = story.now + hours * HOUR;
      const gc = trashKept(story.host, { now, scarce: new Set(), all: false }).filter(({ goes }) => goes === 'gc');
      const ids = new Set(gc.map(({ id }) => id));
      expect(due(story, hours * HOUR).every((id) => ids.has(id))).toBe(true);
    }
    expect(due(story, 48 * HOUR).length).toBeGreaterThan(0);
  });

  test('is not what an unfinished command has a hand on', () => {
    const story = smallHost().after(to.start('work'), to.stop('work'), to.removeVm('work'));
    const [first] = due(story, 48 * HOUR);
    story.accept(to.collect(first ?? ''));
    expect(due(story, 48 * HOUR)).not.toContain(first);
  });
});
