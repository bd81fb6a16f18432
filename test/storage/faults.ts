import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { exitOf } from '../../domain/failure.ts';
import { stampText } from '../../infrastructure/drivers/stamp.ts';
import * as to from '../domain/commands.ts';
import { type LvmHost, lvmHost } from './lvm-host.ts';
import { committed, MIB, withWork } from './suite.ts';
import { FILLER, type TroubledHands } from './troubles.ts';

const KEY = 'work:private';

type Command = Parameters<LvmHost['submit']>[0];

/** How a command ended for whoever asked: code, exit code, what to do next. */
const refusal = async (host: LvmHost, command: Command) => {
  const { failure } = await host.submit(command);
  return failure && { code: failure.code, exit: exitOf(failure.code), next: failure.next ?? '' };
};

/** Something happens right before the first program that `when` picks is run. */
const rightBefore = (host: LvmHost, when: RegExp, happens: () => Promise<void>): void => {
  host.runThrough((run) => async (argv, options) => {
    if (!when.test(argv.join(' '))) return run(argv, options);
    host.runThrough((plain) => plain);
    await happens();
    return run(argv, options);
  });
};

const denseImage = async (host: LvmHost, mebibytes: number): Promise<Command> => {
  const path = join(host.home.dir, '..', `dense-${mebibytes}`);
  const handle = await open(path, 'w');
  for (let at = 0; at < mebibytes; at++) await handle.write(Buffer.alloc(MIB, 'x'));
  await handle.close();
  return to.importFile(KEY, path, mebibytes * MIB, stampText(await stat(path, { bigint: true })));
};

/**
 * What spec/testbed §3 provokes and the issue names, on whatever machine `hands` gives: each ends in a code and a way on,
 * loses nothing, and is over once its cause is. One host lives through all of it, because making one takes longer than
 * most of what befalls it.
 */
export const faults = (name: string, hands: () => Promise<TroubledHands>): void => {
  describe(name, () => {
    let trouble: TroubledHands;
    let host: LvmHost;
    let made = false;
    beforeEach(async () => {
      if (made) return;
      made = true;
      trouble = await hands();
      host = await lvmHost(trouble);
      await withWork(host);
      await host.does(to.appVm('other', { template: 'fedora' }));
    });
    afterAll(() => host.cleanup());

    const namesNow = async (): Promise<readonly string[]> => (await host.names()).filter((one) => one !== FILLER);

    const isWell = async (text: string): Promise<void> => {
      expect(await committed(host, KEY)).toBe(text);
      expect(await host.problems()).toEqual([]);
    };

    test('a pool out of data space: a start is refused with what could be freed, a running VM is stopped and kept', async () => {
      await host.does(to.start('work'));
      await host.vmWrites(KEY, 'first');
      await trouble.fill();
      const names = await namesNow();
      const { failure } = await host.submit(to.start('other'));
      expect(failure).toMatchObject({ code: 'D_POOL_RESERVE', next: expect.stringMatching(/lvextend|domtrail/) });
      expect(await namesNow()).toEqual(names);
      await host.does(to.stop('work'));
      const again = await host.submit(to.start('other'));
      expect(again.failure?.couldFree).toMatchObject([
        { is: 'revision', object: expect.stringMatching(/^work:private@/) },
      ]);
      await trouble.drain();
      await isWell('first');
    });

    test('an import that is larger than what is left is refused before anything is made', async () => {
      await host.does(to.setReserve('lvm', { data: 90, metadata: 10 }));
      const names = await namesNow();
      expect(await refusal(host, await denseImage(host, 8))).toMatchObject({ code: 'D_POOL_RESERVE', exit: 7 });
      expect(await namesNow()).toEqual(names);
      await host.does(to.setReserve('lvm', null));
      await isWell('first');
    });

    test('a pool that runs full under an import: the import is taken back', async () => {
      const names = await namesNow();
      rightBefore(host, /\bdd /, trouble.fill);
      const ended = await refusal(host, await denseImage(host, 8));
      expect(ended).toEqual({ code: 'D_DISK_FULL', exit: 1, next: expect.stringMatching(/room/) });
      await trouble.drain();
      expect(await namesNow()).toEqual(names);
      await isWell('first');
    });

    test('an I/O error in the middle of an import: taken back, and done once the disk is well', async () => {
      const image = await denseImage(host, 4);
      const names = await namesNow();
      rightBefore(host, /\bdd /, () => trouble.breakData(true));
      const ended = await refusal(host, image);
      expect(ended).toEqual({ code: 'D_IO_ERROR', exit: 1, next: expect.stringContaining('dmesg') });
      await trouble.breakData(false);
      expect(await namesNow()).toEqual(names);
      await isWell('first');
      await host.does(image);
      await isWell('xxxxx');
    });

    test('a foreign lvrename between plan and step: drift, and nothing else is touched', async () => {
      rightBefore(host, /lvcreate .*vm-work-private-snap/, () =>
        host.byHand('lvrename -- qubes_dom0/vm-work-private qubes_dom0/elsewhere'),
      );
      const names = await namesNow();
      const ended = await refusal(host, to.start('work'));
      expect(ended).toEqual({ code: 'D_DRIFT', exit: 4, next: expect.stringContaining('domtrail drift') });
      expect(await namesNow()).toEqual(names.map((one) => (one === 'vm-work-private' ? 'elsewhere' : one)).sort());
      await host.byHand('lvrename -- qubes_dom0/elsewhere qubes_dom0/vm-work-private');
      await isWell('xxxxx');
    });

    test('a disk that is away: nothing is taken for gone, nothing is held, and all is there when it is back', async () => {
      const names = await namesNow();
      await trouble.unplug(true);
      const unseen = { code: 'D_POOL_UNSEEN', exit: 75, next: expect.stringMatching(/disk/) };
      expect(await refusal(host, to.start('work'))).toEqual(unseen);
      expect((await refusal(host, to.removeVm('work')))?.code).toBe('D_POOL_UNSEEN');
      await trouble.unplug(false);
      await host.recover();
      expect(await namesNow()).toEqual(names);
      await isWell('xxxxx');
    });

    test('a pool that went read-only: nothing new is made, a running VM is stopped and kept, and a repair brings all back', async () => {
      await host.does(to.start('work'));
      await host.vmWrites(KEY, 'after');
      await trouble.spoilMetadata();
      const names = await namesNow();
      const readOnly = { code: 'D_POOL_READ_ONLY', exit: 4, next: expect.stringContaining('docs/failure-modes.md') };
      expect(await refusal(host, to.start('other'))).toEqual(readOnly);
      expect(await refusal(host, to.standaloneVm('new'))).toEqual(readOnly);
      expect(await namesNow()).toEqual(names);
      await host.does(to.stop('work'));
      const trash = [...host.host().trash.keys()];
      expect(trash.length).toBeGreaterThan(0);
      expect(await refusal(host, to.collect(...trash))).toMatchObject({ code: 'D_POOL_READ_ONLY' });
      await trouble.repair();
      await host.does(to.collect(...trash));
      await isWell('after');
    });

    test('a pool that failed: nothing is tried in it, and a repair brings all back', async () => {
      await trouble.failPool();
      const names = await namesNow();
      expect(await refusal(host, to.start('work'))).toMatchObject({ code: 'D_POOL_DAMAGED', exit: 1 });
      expect(await namesNow()).toEqual(names);
      await trouble.repair();
      await isWell('after');
    });

    test('a foreign lvremove between plan and step: drift, and the volume is as before', async () => {
      const back = (await namesNow()).find((one) => /^vm-work-private-\d+-back$/.test(one)) ?? '';
      rightBefore(host, /lvcreate .*new-import/, () => host.byHand(`lvremove --force -y -- qubes_dom0/${back}`));
      const names = await namesNow();
      expect(await refusal(host, to.revert(KEY))).toMatchObject({ code: 'D_DRIFT', exit: 4 });
      expect(await namesNow()).toEqual(names.filter((one) => one !== back));
      expect(await committed(host, KEY)).toBe('after');
    });
  });
};
