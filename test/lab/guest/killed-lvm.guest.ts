import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '../../../domain/decide.ts';
import type { Run } from '../../../infrastructure/drivers/lvm-thin/work.ts';
import * as to from '../../domain/commands.ts';
import { Crash } from '../../runner/world.ts';
import { type LvmHost, lvmHost } from '../../storage/lvm-host.ts';
import { committed, contentOf, withBox } from '../../storage/suite.ts';
import { realHands } from './real-hands.ts';

const FULL = process.env['LAB_FULL'] === '1';
const KEY = 'box:private';
const POOL = 'qubes_dom0/vm-pool';

/** Which call of ioctl a command of lvm is killed at: of its `nth` run from now on. */
type Kill = { readonly command: string; readonly nth: number; readonly ioctl: number };

type Killer = { readonly wrap: (run: Run) => Run; readonly killed: () => boolean };

/**
 * Runs one command of lvm under strace, which kills it right before that ioctl, as a person or the kernel's memory
 * killer would (spec: lvm §9). With `takesUs` our process goes with it; otherwise the step fails and we live on.
 */
const killer = ({ command, nth, ioctl }: Kill, takesUs: boolean): Killer => {
  let seen = 0;
  let killed = false;
  const inject = [
    'strace',
    '-f',
    '-o',
    '/dev/null',
    '-e',
    'trace=ioctl',
    '-e',
    `inject=ioctl:signal=KILL:when=${ioctl}`,
  ];
  const wrap =
    (run: Run): Run =>
    async (argv, options) => {
      if (argv[0] !== 'lvm' || argv[1] !== command || ++seen !== nth) return run(argv, options);
      const ran = await run(['strace', ...inject.slice(1), ...argv], options);
      killed = ran.evidence.exitCode !== 0;
      if (killed && takesUs) throw new Crash('before-step');
      return ran;
    };
  return { wrap, killed: () => killed };
};

/** What LVM and the kernel count; equal in a sound pool. */
const transactionIds = async (host: LvmHost): Promise<readonly [number, number]> => {
  const lvm = await host.run(['lvm', 'lvs', '--noheadings', '-o', 'transaction_id', POOL]);
  const kernel = await host.run(['dmsetup', 'status', 'qubes_dom0-vm--pool-tpool']);
  return [Number(lvm.stdout), Number(/ thin-pool (\d+) /.exec(kernel.stdout)?.[1])];
};

const isSound = async (host: LvmHost, where: string): Promise<void> => {
  const [lvm, kernel] = await transactionIds(host);
  expect({ where, lvm, problems: await host.problems() }).toEqual({ where, lvm: kernel, problems: [] });
  const inactive = (await host.lvs()).filter(({ active }) => !active).map(({ name }) => name);
  expect({ where, inactive }).toEqual({ where, inactive: [] });
};

const unharmed = (host: LvmHost): void => host.runThrough((run) => run);

type Ended = { readonly killed: boolean };

/** Gives a command with lvm killed inside; our process dies too, or sees the step fail. */
const giveKilled = async (host: LvmHost, command: Command, kill: Kill, takesUs: boolean): Promise<Ended> => {
  const { wrap, killed } = killer(kill, takesUs);
  host.runThrough(wrap);
  try {
    await host.submit(command);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  unharmed(host);
  host.dies();
  return { killed: killed() };
};

/** Every ioctl with LAB_FULL, or a few around the ones that matter: the last before nothing is undone any more. */
const ioctls = (sample: readonly number[], most: number): readonly number[] =>
  FULL ? Array.from({ length: most }, (_, n) => n + 1) : sample;

/** Another program changes the pool, which sends whatever message still waits. */
const somebodyElse = async (host: LvmHost, name: string): Promise<void> => {
  await host.byHand(`lvcreate --thin --setactivationskip=n --activate=y -n ${name} -V 4194304B ${POOL}`);
  await host.byHand(`lvremove --force -y -- qubes_dom0/${name}`);
};

describe('lvm killed inside its work', () => {
  let host: LvmHost;
  beforeEach(async () => {
    host = await lvmHost(await realHands());
    await withBox(host);
    await host.does(to.start('box'));
  });
  afterEach(async () => {
    unharmed(host);
    await host.cleanup();
  });

  test('a snapshot is of the moment it was recorded at, or not taken', async () => {
    let wounds = 0;
    for (const ioctl of ioctls([10, 14, 17], 30)) {
      const takesUs = ioctl % 2 === 0;
      const foreign = ioctl % 3 !== 0;
      const where = `commit, lvcreate killed at ioctl ${ioctl}${takesUs ? ' with us' : ''}${foreign ? ', then somebody else' : ''}`;
      await host.vmWrites(KEY, 'early');
      const old = await committed(host, KEY);
      const { killed } = await giveKilled(host, to.commit(KEY), { command: 'lvcreate', nth: 1, ioctl }, takesUs);
      const [lvm, kernel] = await transactionIds(host);
      if (lvm !== kernel) wounds++;
      await host.vmWrites(KEY, 'wrong');
      if (foreign) await somebodyElse(host, 'foreign').catch(() => undefined);
      await host.vmWrites(KEY, 'later');
      await host.recover();
      await isSound(host, where);
      const now = await committed(host, KEY);
      expect({ where, now }).not.toEqual({ where, now: 'wrong' });
      expect([old, 'early', 'later'], where).toContain(now);
      if (!killed) break;
    }
    expect(wounds, 'no kill left a waiting message: the ioctls of this lvm are counted otherwise').toBeGreaterThan(0);
  });

  test('a create is done again or not at all', async () => {
    for (const ioctl of ioctls([14, 17], 30)) {
      const where = `create, lvcreate killed at ioctl ${ioctl}`;
      const kill = { command: 'lvcreate', nth: 1, ioctl };
      const { killed } = await giveKilled(host, to.standaloneVm('free'), kill, true);
      await host.recover();
      await isSound(host, where);
      if (host.vm('free')) await host.does(to.removeVm('free'));
      if (!killed) break;
    }
  });

  test('a stop goes on where its renames and removals were cut off', async () => {
    const kills: readonly Kill[] = [
      ...ioctls([8, 20], 40).map((ioctl) => ({ command: 'lvrename', nth: 1 + (ioctl % 3), ioctl })),
      ...ioctls([10, 25, 35], 60).map((ioctl) => ({ command: 'lvremove', nth: 1 + (ioctl % 2), ioctl })),
    ];
    for (const [index, kill] of kills.entries()) {
      const where = `stop, ${kill.command} number ${kill.nth} killed at ioctl ${kill.ioctl}`;
      const text = `t${index}`.padEnd(5, '-');
      await host.vmWrites(KEY, text);
      await giveKilled(host, to.stop('box'), kill, index % 2 === 0);
      await host.recover();
      if (host.vm('box')?.power.is === 'running') await host.does(to.stop('box'));
      await host.recover();
      expect(await committed(host, KEY), where).toBe(text);
      await host.does(...gc(host));
      // The message that deletes a removed disk may still wait; the next command that makes one sends it first.
      await host.does(to.start('box'));
      await isSound(host, where);
    }
  });

  test('a phantom that somebody else completed later is not taken for the snapshot', async () => {
    await host.vmWrites(KEY, 'early');
    await giveKilled(host, to.commit(KEY), { command: 'lvcreate', nth: 1, ioctl: 14 }, true);
    const phantom = (await host.lvs()).find(({ name }) => name.endsWith('-new-import'));
    expect(phantom).toMatchObject({ active: false });
    await host.vmWrites(KEY, 'wrong');
    await somebodyElse(host, 'foreign');
    await host.byHand(`lvchange --activate=y qubes_dom0/${phantom?.name}`);
    expect(await contentOf(host, phantom?.name ?? '')).toBe('wrong');
    await host.byHand(`lvchange --activate=n qubes_dom0/${phantom?.name}`);
    await host.vmWrites(KEY, 'later');
    await host.recover();
    expect(['.....', 'later']).toContain(await committed(host, KEY));
    await isSound(host, 'a phantom completed by somebody else');
  });
});

/** What a killed removal left in the trash. */
const gc = (host: LvmHost): readonly Command[] => {
  const disks = [...host.host().trash.keys()];
  return disks.length > 0 ? [to.collect(...disks)] : [];
};
