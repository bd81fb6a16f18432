import { describe, expect, test } from 'vitest';
import type { Command } from '../../domain/decide.ts';
import * as to from '../domain/commands.ts';
import { contentsOf, everyCrashOf, killedAfter, type Row, workWith } from './work.ts';

/**
 * The rows of the crash table of stock's driver (D2: the running session's data, D1: committed, D0: an older revision),
 * each with what ours must leave after a reboot and `recover`. Steps are counted in our plans.
 */
const BEFORE = { cur: 'D1', snap: null, backs: ['D0'] };
const COMMITTED = { cur: 'D2', snap: null, backs: ['D1'] };

const rows = (
  title: string,
  command: Command,
  begin: () => ReturnType<typeof workWith>,
  table: readonly Row[],
): void => {
  describe(title, () => {
    for (const { after, leaves, because } of table) {
      test(`killed after ${after}: ${because}`, async () => {
        const world = await killedAfter(await begin(), command, after);
        expect(contentsOf(world, 'work:private')).toEqual(leaves);
      });
    }
    test('killed at any fault point, also between a step and its record: the same, and no disk is left over', async () => {
      const worlds = await everyCrashOf(await begin(), command);
      expect(worlds.length).toBeGreaterThanOrEqual(3 * table.length - 3);
      for (const world of worlds) expect(contentsOf(world, 'work:private')).toEqual(table.at(-1)?.leaves);
    });
  });
};

const halted = () => workWith({ cur: 'D1', backs: ['D0'] });
const running = () => workWith({ cur: 'D1', backs: ['D0'], session: 'D2' });

rows('STOP / COMMIT', to.stop('work'), running, [
  { after: 0, leaves: COMMITTED, because: 'the stop was accepted, so it is finished' },
  {
    after: 1,
    leaves: COMMITTED,
    because: 'finished, and no moment at which an older revision stands in for the current state',
  },
  { after: 2, leaves: COMMITTED, because: 'finished' },
  { after: 3, leaves: COMMITTED, because: 'no revision is ever discarded under a name that can be reverted to' },
  { after: 4, leaves: COMMITTED, because: 'nothing is left to do' },
]);

rows('START of a kept volume', to.start('work'), halted, [
  { after: 0, leaves: { ...BEFORE, snap: 'D1' }, because: 'the session waits; nothing is committed without asking' },
  {
    after: 1,
    leaves: { ...BEFORE, snap: 'D1' },
    because: 'the only older revision is not pruned for an unchanged session',
  },
  { after: 2, leaves: { ...BEFORE, snap: 'D1' }, because: 'the same' },
]);

rows('REVERT', to.revert('work:private'), halted, [
  { after: 0, leaves: { cur: 'D0', snap: null, backs: ['D1'] }, because: 'finished' },
  { after: 1, leaves: { cur: 'D0', snap: null, backs: ['D1'] }, because: 'the current disk is not emptied first' },
  { after: 2, leaves: { cur: 'D0', snap: null, backs: ['D1'] }, because: 'the replaced state is kept' },
  { after: 3, leaves: { cur: 'D0', snap: null, backs: ['D1'] }, because: 'nothing is left to do' },
]);

const IMPORTED = { cur: 'I1', snap: null, backs: ['D1'] };
rows('IMPORT_DATA', to.importFile('work:private', '/images/new', 2 ** 26, '@stamp'), halted, [
  { after: 1, leaves: IMPORTED, because: 'the file is read again, the VM is not blocked' },
  { after: 2, leaves: IMPORTED, because: 'the same' },
  { after: 3, leaves: IMPORTED, because: 'finished' },
  { after: 4, leaves: IMPORTED, because: 'finished' },
  { after: 5, leaves: IMPORTED, because: 'nothing is left to do' },
]);

const CLONED = { cur: 'S1', snap: null, backs: ['D1'] };
rows('IMPORT_VOLUME of the same pool', to.cloneVolume('src:private', 'work:private'), halted, [
  { after: 0, leaves: CLONED, because: 'finished' },
  { after: 1, leaves: CLONED, because: 'finished, not silently left undone' },
  { after: 2, leaves: CLONED, because: 'finished' },
  { after: 3, leaves: CLONED, because: 'the older revision is gone as a whole, never listed as zeros' },
]);

rows('IMPORT_VOLUME of another pool', to.cloneVolume('far:private', 'work:private'), halted, [
  { after: 0, leaves: { ...CLONED, cur: 'F1' }, because: 'finished' },
  { after: 1, leaves: { ...CLONED, cur: 'F1' }, because: 'copied again from the start, the VM is not blocked' },
  { after: 2, leaves: { ...CLONED, cur: 'F1' }, because: 'finished' },
  { after: 3, leaves: { ...CLONED, cur: 'F1' }, because: 'finished' },
  { after: 4, leaves: { ...CLONED, cur: 'F1' }, because: 'nothing is left to do' },
]);

describe('IMPORT_DATA from standard input', () => {
  test('killed after 1 (or during the write): the data is gone, so it is undone as a whole and the VM starts', async () => {
    const begun = await halted();
    begun.files.put('/dev/stdin', 2 ** 26, [{ offset: 0, text: 'I1' }]);
    const world = await killedAfter(begun, to.importStdin('work:private'), 1);
    expect(contentsOf(world, 'work:private')).toEqual(BEFORE);
    await world.does(to.start('work'));
  });
});

describe('CLONE VM', () => {
  for (const after of [0, 1]) {
    test(`killed after ${after}: the clone is there, without a revision of an empty disk`, async () => {
      const world = await killedAfter(await halted(), to.cloneVm('work', 'copy'), after);
      expect(contentsOf(world, 'copy:private')).toEqual({ cur: 'D1', snap: null, backs: [] });
      expect(contentsOf(world, 'work:private')).toEqual(BEFORE);
    });
  }
});

describe('REMOVE VM', () => {
  for (const after of [0, 1, 2, 3, 4]) {
    test(`killed after ${after}: all of it goes into the trash, in every order, and nothing empty ever carries its name`, async () => {
      const world = await killedAfter(await halted(), to.removeVm('work'), after);
      expect(contentsOf(world, 'work:private')).toBeUndefined();
      expect(world.host.vms.has('work' as never)).toBe(false);
      expect([...world.host.trash.values()].map(({ why }) => why)).toEqual(['removed', 'removed']);
    });
  }
});

describe('CREATE', () => {
  for (const after of [0, 1, 2]) {
    test(`killed after ${after}: the VM is there, and its name is not taken by a leak`, async () => {
      const world = await killedAfter(await halted(), to.standaloneVm('alone'), after);
      expect(contentsOf(world, 'alone:private')).toEqual({ cur: '', snap: null, backs: [] });
    });
  }
});

describe('RESIZE', () => {
  for (const after of [0, 1]) {
    test(`killed after ${after}: the disk has the new size, and so says the log`, async () => {
      const world = await killedAfter(await halted(), to.resize('work:private', 3 * 2 ** 30), after);
      expect(world.model.find('vm-work-private')?.extents).toBe(768);
      expect(world.host.vms.get('work' as never)?.volumes['private' as never]).toMatchObject({
        spec: { bytes: 3 * 2 ** 30 },
      });
    });
  }
});

describe('START and STOP of what is not kept', () => {
  for (const after of [0, 1, 2, 3, 4]) {
    test(`a stop killed after ${after} leaves neither a session nor a volatile disk`, async () => {
      const world = await killedAfter(await running(), to.stop('work'), after);
      expect(contentsOf(world, 'work:root')).toBeUndefined();
      expect(contentsOf(world, 'work:volatile')).toBeUndefined();
    });
    test(`a start killed after ${after} is no VM that ran: the next start makes both anew`, async () => {
      const world = await killedAfter(await halted(), to.start('work'), after);
      expect(contentsOf(world, 'work:root')).toBeUndefined();
      await world.does(to.start('work'));
      expect(contentsOf(world, 'work:root')).toEqual({ cur: null, snap: 'T1', backs: [] });
    });
  }
});
