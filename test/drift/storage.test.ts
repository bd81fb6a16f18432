import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePayload } from '../../domain/command/parse.ts';
import type { Command } from '../../domain/decide.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { replayLog } from '../../infrastructure/service/replay.ts';
import { replayOnModel } from '../../infrastructure/service/replay-model.ts';
import * as to from '../domain/commands.ts';
import { modelHands } from '../storage/hands.ts';
import { type LvmHost, lvmHost } from '../storage/lvm-host.ts';
import { committed, dyingAt, kept, session } from '../storage/suite.ts';

const VG = 'qubes_dom0';
const BOX = 'vm-box-private';

let host: LvmHost;
beforeEach(async () => {
  host = await lvmHost(modelHands());
  await host.does(to.standaloneVm('box'), to.keep('box:root', -1));
  await session(host, 'box:private', 'one');
  await session(host, 'box:private', 'two');
});
afterEach(() => host.cleanup());

const answer = (name: 'AdoptDrift' | 'RepairDrift', word: string): Command => {
  const payload = parsePayload(name, { names: [word] });
  if (!payload.ok) throw new Error(payload.error.message);
  return { name, payload: payload.value };
};

/** Does what was offered, as it was offered. */
const typed = async (offer: string | null): Promise<void> => {
  const [program, ...words] = (offer ?? '').split(' ');
  if (program === 'lvm') return host.byHand(words.join(' '));
  const line = words.join(' ');
  if (line === 'gc --yes')
    return host.does({ name: 'CollectGarbage', payload: { disks: [...host.host().trash.keys()] } });
  const erased = /^gc (\S+) --yes$/.exec(line)?.[1];
  if (erased !== undefined) return host.does({ name: 'CollectGarbage', payload: { disks: [erased] } });
  if (line === 'recover') return void (await host.recover());
  const [, name, word] = /^drift (adopt|repair) (\S+)$/.exec(line) ?? [];
  if (word === undefined) throw new Error(`nobody can type ${offer}`);
  await host.does(answer(name === 'adopt' ? 'AdoptDrift' : 'RepairDrift', word));
};

const found = async () =>
  (await host.drift()).map(({ name, difference, adopt, repair }) => ({
    name: name.replace(`${VG}/`, ''),
    difference,
    adopt: adopt?.split(' ').slice(0, 3).join(' ') ?? null,
    repair: repair?.split(' ').slice(0, 3).join(' ') ?? null,
  }));

const offered = async (name = `${VG}/${BOX}`) => {
  const one = (await host.drift()).find((drift) => drift.name === name);
  if (!one) throw new Error(`${name} does not differ`);
  return one;
};

/** Nothing differs any more, and the log makes sense: its steps and what was taken over can be carried out on a model. */
const isSettled = async (): Promise<void> => {
  expect(await host.drift()).toEqual([]);
  expect(await host.problems()).toEqual([]);
  const whole = { after: 0, to: host.host().position };
  expect(replayLog(host.ledger(), whole, INVARIANTS)).toMatchObject({ difference: null, breaches: [] });
  const { breaches } = await replayOnModel(host.ledger(), whole, INVARIANTS);
  expect(breaches.map(({ invariant, says }) => `${invariant}: ${says}`)).toEqual([]);
};

const backOf = async (): Promise<string> => {
  const back = (await host.names()).find((name) => /^vm-box-private-\d+-back$/.test(name));
  if (!back) throw new Error('there is no revision');
  return back;
};

const ADOPT = 'domtrail drift adopt';
const REPAIR = 'domtrail drift repair';

describe('a disk of the log that is gone', () => {
  beforeEach(() => host.byHand(`lvremove -y ${VG}/${BOX}`));

  test('repair brings the newest older state back', async () => {
    expect(await found()).toEqual([{ name: BOX, difference: 'gone', adopt: ADOPT, repair: REPAIR }]);
    await typed((await offered()).repair);
    await isSettled();
    expect(await committed(host, 'box:private', 3)).toBe('one');
  });

  test('adopt takes note; the older states stay, and a revert goes to one', async () => {
    await typed((await offered()).adopt);
    await isSettled();
    expect(host.info('box:private')).toMatchObject({ state: 'absent', revisions: [{}] });
    await host.does(to.revert('box:private'));
    expect(await committed(host, 'box:private', 3)).toBe('one');
  });

  test('without an older state there is nothing to bring back, and an import fills the place', async () => {
    await host.byHand(`lvremove -y ${VG}/${await backOf()}`);
    expect((await found()).map(({ repair }) => repair)).toEqual([null, null]);
    for (const { adopt } of await host.drift()) await typed(adopt);
    await isSettled();
    await host.does(await host.importOf('box:private', 'new', 2 ** 22));
    expect(await committed(host, 'box:private', 3)).toBe('new');
  });
});

describe('a disk of the log under another name', () => {
  test('repair gives it its own name back, whatever it was called', async () => {
    await host.byHand(`lvrename ${VG}/${BOX} ${VG}/mine`);
    expect(await found()).toEqual([{ name: BOX, difference: 'renamed', adopt: null, repair: REPAIR }]);
    await typed((await offered()).repair);
    await isSettled();
    expect(await committed(host, 'box:private', 3)).toBe('two');
  });

  test('the session of a running VM finds back, and the VM can be stopped', async () => {
    await host.does(to.start('box'));
    await host.vmWrites('box:private', 'three');
    await host.byHand(`lvrename ${VG}/${BOX}-snap ${VG}/mine`);
    await typed((await offered(`${VG}/${BOX}-snap`)).repair);
    await host.does(to.stop('box'));
    await isSettled();
    expect(await committed(host, 'box:private')).toBe('three');
  });
});

describe('disks that lie in each other’s places', () => {
  const swapped = async (other: string): Promise<void> => {
    await host.byHand(`lvrename ${VG}/${BOX} ${VG}/x`);
    await host.byHand(`lvrename ${VG}/${other} ${VG}/${BOX}`);
    await host.byHand(`lvrename ${VG}/x ${VG}/${other}`);
  };

  test('of two volumes: repair puts both back, by naming one', async () => {
    await host.does(to.standaloneVm('bag'), to.keep('bag:root', -1));
    await session(host, 'bag:private', 'bag');
    await swapped('vm-bag-private');
    expect((await found()).map(({ name, difference }) => [name, difference])).toEqual([
      [BOX, 'replaced'],
      ['vm-bag-private', 'replaced'],
    ]);
    await typed((await offered()).repair);
    await isSettled();
    expect([await committed(host, 'box:private', 3), await committed(host, 'bag:private', 3)]).toEqual(['two', 'bag']);
  });

  test('of two volumes: adopt makes the exchange the truth for both, by naming one', async () => {
    await host.does(to.standaloneVm('bag'), to.keep('bag:root', -1));
    await session(host, 'bag:private', 'bag');
    await swapped('vm-bag-private');
    await typed((await offered()).adopt);
    await isSettled();
    expect([await committed(host, 'box:private', 3), await committed(host, 'bag:private', 3)]).toEqual(['bag', 'two']);
    await session(host, 'box:private', 'new');
    expect(await kept(host, 'box:private')).toEqual([expect.stringContaining('bag')]);
  });

  test('of one volume: what was an older state is committed now', async () => {
    await swapped(await backOf());
    await typed((await offered()).adopt);
    await isSettled();
    expect(await committed(host, 'box:private', 3)).toBe('one');
    expect(await kept(host, 'box:private')).toEqual([expect.stringContaining('two')]);
  });

  test('a repair that is killed between its renames is finished by recover', async () => {
    await swapped(await backOf());
    await expect(host.submit(answer('RepairDrift', 'box:private'), dyingAt('after-step:2'))).rejects.toThrow();
    host.dies();
    expect((await host.drift()).every(({ adopt, repair }) => adopt === null && repair === 'domtrail recover')).toBe(
      true,
    );
    await host.recover();
    await isSettled();
    expect(await committed(host, 'box:private', 3)).toBe('two');
  });
});

describe('a disk of somebody else in the place of one of ours', () => {
  test('which is gone: adopt takes the stranger', async () => {
    await host.byHand(`lvremove -y ${VG}/${BOX}`);
    await host.byHand(`lvcreate -V 8388608b -T ${VG}/vm-pool -n ${BOX}`);
    expect(await found()).toEqual([{ name: BOX, difference: 'replaced', adopt: ADOPT, repair: null }]);
    await typed((await offered()).adopt);
    await isSettled();
    expect(host.info('box:private').size).toBe(8388608);
  });

  test('which is still there: the stranger is moved aside by hand, then repair puts ours back', async () => {
    await host.byHand(`lvrename ${VG}/${BOX} ${VG}/mine`);
    await host.byHand(`lvcreate -V 8388608b -T ${VG}/vm-pool -n ${BOX}`);
    expect(await found()).toEqual([
      { name: BOX, difference: 'replaced', adopt: ADOPT, repair: 'lvm lvrename qubes_dom0/vm-box-private' },
    ]);
    await typed((await offered()).repair);
    await typed((await offered()).repair);
    await isSettled();
    expect(await committed(host, 'box:private', 3)).toBe('two');
    expect(await host.names()).toContain(`${BOX}.aside`);
  });
});

describe('a disk of another size', () => {
  test('larger: adopt makes it the size of the volume', async () => {
    await host.byHand(`lvextend -L 4g ${VG}/${BOX}`);
    expect(await found()).toEqual([{ name: BOX, difference: 'resized', adopt: ADOPT, repair: null }]);
    await typed((await offered()).adopt);
    await isSettled();
    expect(host.info('box:private').size).toBe(4 * 2 ** 30);
    await session(host, 'box:private', 'three');
  });

  test('smaller: repair grows it back', async () => {
    const { size } = host.info('box:private');
    await host.byHand(`lvresize -f -y -L 64m ${VG}/${BOX}`);
    await typed((await offered()).repair);
    await isSettled();
    expect(host.info('box:private').size).toBe(size);
  });
});

describe('a disk that the log does not keep', () => {
  test('in the way of a start: moved aside by hand', async () => {
    await host.byHand(`lvcreate -V 8388608b -T ${VG}/vm-pool -n ${BOX}-snap`);
    expect(await found()).toMatchObject([{ name: `${BOX}-snap`, difference: 'unknown', adopt: ADOPT }]);
    await typed((await offered(`${VG}/${BOX}-snap`)).repair);
    await isSettled();
    await session(host, 'box:private', 'three');
  });

  test('a session that stock left: adopt keeps it until somebody decides', async () => {
    await host.byHand(`lvcreate -kn -ay -s ${VG}/${BOX} -n ${BOX}-snap`);
    await typed((await offered(`${VG}/${BOX}-snap`)).adopt);
    expect(await host.drift()).toEqual([]);
    expect(host.info('box:private').state).toBe('dirty');
    await host.does(to.commit('box:private'));
    await isSettled();
  });

  test('with our marks and an unfinished name: adopt puts it into the trash, gc erases it', async () => {
    const marks = '--addtag domtrail --addtag dt.cmd=c99 --addtag dt.step=1';
    await host.byHand(`lvcreate ${marks} -V 8388608b -T ${VG}/vm-pool -n ${BOX}-9-new-import`);
    const one = await offered(`${VG}/${BOX}-9-new-import`);
    expect(one).toMatchObject({ kind: 'leftover', about: 'box:private' });
    await typed(one.adopt);
    await isSettled();
    await typed('domtrail gc --yes');
    expect((await host.names()).filter((name) => name.includes('trash'))).toEqual([]);
  });

  test('of a VM that the log does not have is none of ours', async () => {
    await host.byHand(`lvcreate -V 8388608b -T ${VG}/vm-pool -n vm-other-private`);
    expect(await host.drift()).toEqual([]);
  });
});

test('nothing can be taken over while the VM runs, and what was seen then is not what counts', async () => {
  await host.byHand(`lvextend -L 4g ${VG}/${BOX}`);
  const { adopt } = await offered();
  await host.does(to.start('box'));
  expect((await offered()).adopt).toBeNull();
  await expect(typed(adopt)).rejects.toThrow('D_NOT_HALTED');
});
