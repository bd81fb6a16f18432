import { describe, expect, test } from 'vitest';
import { decide } from '../../domain/decide.ts';
import { checkResting } from '../../domain/invariants/rest.ts';
import { revisionOrder } from '../../domain/invariants/retention.ts';
import type { VmName } from '../../domain/names.ts';
import * as to from '../domain/commands.ts';
import { crashAt } from '../runner/world.ts';
import { heldBy, makeLv, stockAppVm, stockHost, stockTemplate, trashOf, volumeIn, workLeftWith } from './stock.ts';

const TEMPLATE = { 'vm-fedora-root': { of: 'T1' }, 'vm-fedora-private': { of: 'P1' } } as const;

const untouchedIn = (world: Awaited<ReturnType<typeof stockHost>>) =>
  world.log.flatMap(({ event }) => (event.type === 'StorageAdopted' ? event.untouched : []));

describe('adopting what stock Qubes left', () => {
  test('a whole VM: disks keep their names, UUIDs and order, and no step is needed', async () => {
    const world = await workLeftWith({ '-1000-back': { of: 'D0' }, '': { of: 'D1' } });
    const before = world.model.changes();
    await world.does(to.adoptStorage());
    expect(world.model.changes()).toBe(before);
    const { revisions, situation, lastAt } = volumeIn(world, 'work:private');
    expect(revisions).toMatchObject([{ id: '1000-back', number: 1, at: 1000 }]);
    expect(situation).toMatchObject({ is: 'clean', current: { id: world.model.find('vm-work-private')?.uuid } });
    expect(lastAt).toBe(1000);
  });

  test('revisions made while the clock was set back: their origins order them, and later commits come after both', async () => {
    const world = await workLeftWith({
      '-2000-back': { of: 'D0' },
      '-1000-back': { from: '-2000-back', of: 'D1' },
      '-snap': { from: '-1000-back', of: 'D2' },
    });
    await world.does(to.adoptStorage());
    expect(heldBy(world, 'work:private')).toMatchObject({ current: 'D2', revisions: ['D0', 'D1'] });
    const { revisions, lastAt } = volumeIn(world, 'work:private');
    expect([revisions.map(({ at }) => at), lastAt]).toEqual([[2000, 1000], 2000]);
    expect(checkResting(world.host, 'work' as VmName, [revisionOrder], () => null)).toEqual([]);
  });

  test('adopting again finds nothing to do', async () => {
    const world = await workLeftWith({ '': { of: 'D1' } });
    await world.does(to.adoptStorage());
    const { position } = world.host;
    await world.does(to.adoptStorage());
    expect(world.log.slice(position).map(({ event }) => event.type)).toEqual(['CommandAccepted']);
  });

  test('what dead VMs left is put aside, never destroyed, and the next start makes it anew', async () => {
    const world = await stockHost([stockTemplate('fedora'), stockAppVm('work')], {
      ...TEMPLATE,
      'vm-work-private': { of: 'D1' },
      'vm-work-root-snap': { from: 'vm-fedora-root', of: 'old' },
      'vm-work-volatile': { of: 'swap' },
      'vm-fedora-volatile': { of: 'more' },
    });
    await world.does(to.adoptStorage());
    expect(trashOf(world)).toEqual(['more', 'old', 'swap']);
    await world.does(to.start('work'));
    expect(heldBy(world, 'work:root')).toMatchObject({ is: 'running', session: 'T1' });
    await world.does(to.stop('work'), to.collect(...world.host.trash.keys()));
    expect(trashOf(world)).toEqual([]);
  });

  test('VMs whose names extend each other keep their own disks (qubes-issues 4680)', async () => {
    const vms = ['w', 'w-private', 'w-1', 'w-private-1000'].map((name) => stockAppVm(name));
    const world = await stockHost([stockTemplate('fedora'), ...vms], {
      ...TEMPLATE,
      'vm-w-private': { of: 'w' },
      'vm-w-private-1000-back': { of: 'w old' },
      'vm-w-private-private': { of: 'w-private' },
      'vm-w-private-private-1000-back': { of: 'w-private old' },
      'vm-w-1-private': { of: 'w-1' },
      'vm-w-1-private-1000-back': { of: 'w-1 old' },
      'vm-w-private-1000-private': { of: 'w-private-1000' },
    });
    await world.does(to.adoptStorage());
    expect(heldBy(world, 'w:private')).toMatchObject({ current: 'w', revisions: ['w old'] });
    expect(heldBy(world, 'w-private:private')).toMatchObject({ current: 'w-private', revisions: ['w-private old'] });
    expect(heldBy(world, 'w-1:private')).toMatchObject({ current: 'w-1', revisions: ['w-1 old'] });
    expect(heldBy(world, 'w-private-1000:private')).toMatchObject({ current: 'w-private-1000', revisions: [] });
  });

  test('a name that two volumes could claim is given to neither', async () => {
    const odd = stockAppVm('work-private');
    const snap = { ...odd.volumes[1], name: 'snap', key: 'work-private:snap', vid: 'qubes_dom0/vm-work-private-snap' };
    const world = await stockHost([stockTemplate('fedora'), stockAppVm('work'), { ...odd, volumes: [snap as never] }], {
      ...TEMPLATE,
      'vm-work-private': { of: 'D1' },
      'vm-work-private-snap': { of: 'whose?' },
    });
    await world.does(to.adoptStorage());
    expect(heldBy(world, 'work:private')).toMatchObject({ is: 'clean', current: 'D1' });
    expect(untouchedIn(world)).toEqual([
      { name: 'qubes_dom0/vm-work-private-snap', why: 'it may belong to work-private:snap as well as to work:private' },
    ]);
  });

  test('LVs of others stay as they are, and it is told which and why', async () => {
    const world = await stockHost([stockTemplate('fedora'), stockAppVm('work')], {
      ...TEMPLATE,
      'vm-work-private': { of: 'D1' },
      'vm-gone-private': { of: 'of a VM that qubes.xml lost' },
      'vm-work-private-mine': { of: 'by hand' },
      root: { of: 'dom0' },
      'vm-work-root-7-back': { of: 'a revision of what keeps none' },
    });
    const names = new Map([...world.model.state().lvs.values()].map(({ name, uuid }) => [name, uuid]));
    await world.does(to.adoptStorage());
    expect(untouchedIn(world).map(({ name }) => name)).toEqual([
      'qubes_dom0/vm-gone-private',
      'qubes_dom0/vm-work-private-mine',
      'qubes_dom0/root',
      'qubes_dom0/vm-work-root-7-back',
    ]);
    for (const [name, uuid] of names) expect(world.model.find(name)?.uuid).toBe(uuid);
  });

  test('inactive and skip-flagged LVs are switched on where they are needed, and stay on after a reboot', async () => {
    const world = await workLeftWith({
      '-1000-back': { of: 'D0', skip: true },
      '': { of: 'D1', skip: true },
      '-snap': { from: '', of: 'D2', inactive: true },
    });
    await world.does(to.adoptStorage());
    expect(world.model.find('vm-work-private')).toMatchObject({ active: true, skip: false });
    expect(world.model.find('vm-work-private-snap')).toMatchObject({ active: true });
    expect(world.model.find('vm-work-private-1000-back')).toMatchObject({ active: false });
    world.reboot();
    expect(world.model.find('vm-work-private')?.active).toBe(true);
    await world.does(to.discard('work:private'), to.revert('work:private'));
    expect(heldBy(world, 'work:private')).toMatchObject({ current: 'D0' });
  });

  test('a VM whose disk is open is left alone as a whole; when it is closed it is adopted', async () => {
    const world = await workLeftWith({ '': { of: 'D1' }, '-snap': { from: '', of: 'D2' } });
    const device = world.model.open('vm-work-private-snap');
    await world.does(to.adoptStorage());
    expect(heldBy(world, 'work:private').is).toBe('absent');
    expect(untouchedIn(world)).toMatchObject(
      [{ why: /seems to run/ }, { why: /seems to run/ }].map(({ why }) => ({ why: expect.stringMatching(why) })),
    );
    device.close();
    await world.does(to.adoptStorage('lvm', 'work'));
    expect(heldBy(world, 'work:private')).toMatchObject({ is: 'dirty', current: 'D1', session: 'D2' });
  });

  test('only the VMs that were named are adopted', async () => {
    const world = await workLeftWith({ '': { of: 'D1' } });
    await world.does(to.adoptStorage(null, 'work'));
    expect(heldBy(world, 'work:private').is).toBe('clean');
    expect(heldBy(world, 'fedora:root').is).toBe('absent');
  });

  test('a session of a volume without snapshots may be stale, and it is said so', async () => {
    const world = await workLeftWith({ '': { of: 'D9' }, '-snap': { of: 'D2' } }, { keep: -1 });
    await world.does(to.adoptStorage());
    expect(heldBy(world, 'work:private')).toMatchObject({ is: 'dirty', current: 'D9', session: 'D2' });
    const notes = world.log.flatMap(({ event }) => (event.type === 'StorageAdopted' ? event.notes : []));
    expect(notes.find(({ object }) => object === 'work:private')?.note).toMatch(/may be older than the committed disk/);
  });

  test('commit and discard decide about an adopted session, revert about an adopted revision', async () => {
    const begun = await workLeftWith({ '-1000-back': { of: 'D0' }, '': { of: 'D1' }, '-snap': { from: '', of: 'D2' } });
    await begun.does(to.adoptStorage());
    const other = begun.fork();
    await begun.does(to.commit('work:private'));
    expect(heldBy(begun, 'work:private')).toMatchObject({ is: 'clean', current: 'D2', revisions: ['D1'] });
    await other.does(to.discard('work:private'), to.revert('work:private', '1000-back'));
    expect(heldBy(other, 'work:private')).toMatchObject({ is: 'clean', current: 'D0', revisions: ['D1'] });
  });

  test('what a revert by stock emptied is found again: the pinned state outlives starts and stops', async () => {
    const world = await workLeftWith({ '-1000-back': { of: 'D0' }, '': { of: 'D1', empty: true } });
    await world.does(to.adoptStorage(), to.start('work'), to.stop('work'), to.start('work'), to.stop('work'));
    await world.does(to.revert('work:private', '1000-back'));
    expect(heldBy(world, 'work:private').current).toBe('D0');
  });

  test('a crash at any point of an adoption, and of its recovery, ends as if there had been none', async () => {
    const begin = () =>
      workLeftWith({
        '-back': { of: 'D0' },
        '-2000-back': { of: 'D1', skip: true },
        '-snap': { from: '-2000-back', of: 'D2', inactive: true },
        '-import': { of: 'never', empty: true },
      });
    for (let n = 1; ; n++) {
      const world = await begin();
      if (!(await world.dies(to.adoptStorage(), crashAt(n)))) {
        expect(n).toBeGreaterThan(10);
        return;
      }
      world.reboot();
      if (await world.recoveryDies(crashAt(n))) world.reboot();
      await world.recover();
      await world.does(to.adoptStorage());
      expect({ n, ...heldBy(world, 'work:private') }).toEqual({
        n,
        is: 'clean',
        current: 'D2',
        session: null,
        revisions: ['D0', 'D1'],
      });
    }
  });

  test('an LV that somebody renames between plan and step is drift: nothing more is touched', async () => {
    const world = await workLeftWith({ '-2000-back': { of: 'D1' }, '-snap': { from: '-2000-back', of: 'D2' } });
    const { id } = world.accept(to.adoptStorage(), { storage: await seenIn(world) });
    world.model.rename('vm-work-private-snap', 'elsewhere');
    await world.recover();
    expect(world.log.filter(({ command }) => command === id).map(({ event }) => event.type)).toContain(
      'CommandAbandoned',
    );
    expect(heldBy(world, 'work:private').is).toBe('absent');
    expect(world.model.find('elsewhere')).toBeDefined();
  });

  test('deciding again from what is recorded gives the same plan and facts', async () => {
    const world = await workLeftWith({ '-1000-back': { of: 'D0' }, '': { of: 'D1' }, '-import': { of: 'I' } });
    const storage = await seenIn(world);
    const context = {
      now: 1,
      position: 99,
      bootId: 'b',
      uuid: 'u',
      open: [],
      storage: JSON.parse(JSON.stringify(storage)),
    };
    const again = JSON.parse(JSON.stringify(context));
    expect(decide(world.host, to.adoptStorage(), context)).toEqual(decide(world.host, to.adoptStorage(), again));
  });

  test('without a look at the pools nothing is adopted', async () => {
    const world = await workLeftWith({ '': { of: 'D1' } });
    const { decision } = world.accept(to.adoptStorage());
    expect(decision).toMatchObject({ ok: false, error: { code: 'D_BAD_INPUT' } });
    makeLv(world.model, 'vm-later', {});
    await expect(world.does(to.adoptStorage(null, 'nobody'))).rejects.toThrow(/D_NOT_FOUND/);
  });
});

const seenIn = async (world: Awaited<ReturnType<typeof stockHost>>) => {
  const fork = world.fork();
  let storage: NonNullable<Parameters<typeof world.accept>[1]>['storage'] = [];
  const accept = fork.accept.bind(fork);
  fork.accept = (command, seen) => {
    storage = seen?.storage ?? [];
    return accept(command, seen);
  };
  await fork.does(to.adoptStorage());
  return storage;
};
