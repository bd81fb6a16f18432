import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Written } from '../../domain/backup/archive.ts';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import { KILL_POINTS } from '../../infrastructure/drivers/lvm-model/change.ts';
import { verified } from '../backup/vectors.ts';
import * as to from '../domain/commands.ts';
import { PASSPHRASE, withArchiver } from './archiver.ts';
import { examine, guestsWrite, openingScene, type Scene } from './explore.ts';
import { observe } from './observe.ts';
import { after, afterReboot, type Oracle } from './oracle.ts';
import { Crash, crashAt, type World } from './world.ts';

const SIZE = 4 * 2 ** 20;
const NO_HINTS = { revision: 0, file: '', shrinks: true };

const dir = mkdtempSync(join(tmpdir(), 'domtrail-backup-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, 'b.qbk');

const sha256Of = (text: string): string =>
  createHash('sha256')
    .update(Buffer.alloc(SIZE).fill(text, 0, text.length))
    .digest('hex');

let scene: Scene;
/** `work` runs, and has written since it was committed; `mail` is halted. */
beforeAll(async () => {
  let { world, oracle } = await openingScene(after);
  const give = async (...commands: readonly ReturnType<typeof to.start>[]): Promise<void> => {
    for (const command of commands) {
      await world.does(command);
      oracle = after(oracle, command, NO_HINTS);
    }
  };
  await give(to.appVm('mail', { template: 'fedora' }));
  await give(...['work:private', 'work:data', 'mail:private'].map((key) => to.resize(key, SIZE, true)));
  await give(to.start('work'), to.start('mail'));
  oracle = guestsWrite({ world, oracle }, 'committed');
  await give(to.stop('work'), to.stop('mail'), to.start('work'));
  oracle = guestsWrite({ world, oracle }, 'running');
  scene = { world, oracle };
});

const command = to.backup(file, 'work', 'mail');

const isWhole = async (): Promise<void> => {
  const report = (await verified(readFileSync(file), PASSPHRASE)) as BackupReport;
  expect(report).toMatchObject({ ok: true, problems: [] });
  const inOrder = [...report.vms].sort((a, b) => (a.name < b.name ? 1 : -1));
  expect(inOrder.map(({ name, files }) => [name, ...files.map((one) => [one.name, one.sha256])])).toEqual([
    ['work', ['private.img', sha256Of('committed work:private')], ['data.img', sha256Of('committed work:data')]],
    ['mail', ['private.img', sha256Of('committed mail:private')]],
  ]);
};

/** Nothing is left of a backup that has not come to its end, and one that has is whole and told in the log. */
const insist = async (world: World, oracle: Oracle, where: string): Promise<boolean> => {
  try {
    examine(world, { states: [oracle], foreign: observe(world).foreign });
    const left = readdirSync(dir);
    expect(left.length === 0 || (left.length === 1 && left[0] === 'b.qbk')).toBe(true);
    const told = world.log.some(({ event }) => event.type === 'VmBackedUp');
    expect(existsSync(file)).toBe(told);
    // A recovery does not touch the file: to read it once is enough.
    if (told && !where.includes('recovery')) await isWhole();
    return told;
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    rmSync(file, { force: true });
  }
};

type Left = readonly (readonly [string, Buffer])[];
const whatIsLeft = (): Left => readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))]);
const putBack = (left: Left): void => {
  for (const [name, bytes] of left) writeFileSync(join(dir, name), bytes);
};

const forked = (): World => withArchiver(scene.world.fork());

describe('a backup from thin snapshots', () => {
  test('holds what was committed while the VM runs on, is told volume by volume, and lets go of its snapshots', async () => {
    const world = forked();
    const { ended } = await world.submit(command);
    expect(ended).toEqual({ is: 'completed', leftover: [] });
    const told = world.log.slice(scene.world.log.length).map(({ event }) => event);
    expect(told.filter(({ type }) => type === 'VolumeBackedUp')).toEqual([
      expect.objectContaining({
        volume: 'work:private',
        bytes: SIZE,
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        chunks: 1,
      }),
      expect.objectContaining({ volume: 'work:data', bytes: SIZE }),
      expect.objectContaining({ volume: 'mail:private', bytes: SIZE, durationMs: expect.any(Number) }),
    ]);
    expect(told.filter(({ type }) => type === 'VmBackedUp')).toHaveLength(2);
    expect(await insist(world, scene.oracle, 'undisturbed')).toBe(true);
  });

  test('is the same where its volumes had to be read whole, and says why', async () => {
    const world = forked();
    for (const model of world.models) model.holdMetadata(true);
    await world.submit(command);
    const told = world.log.flatMap(({ event }) => (event.type === 'StepDone' && event.written ? [event.evidence] : []));
    expect(told[0]?.stderr.split('\n')).toEqual(
      ['work:private', 'work:data', 'mail:private'].map(
        (volume) => `${volume} was read whole: somebody else holds the metadata`,
      ),
    );
    expect(await insist(world, scene.oracle, 'without maps')).toBe(true);
  });

  test('a disk that cannot be read costs its own file; the others are whole, and nothing is called whole', async () => {
    const world = forked();
    const { archiver } = world;
    world.archiver = async (archive, images, progress) => {
      const broken = new Map(images);
      const image = broken.get('work:data' as never);
      if (!image || !archiver) throw new Error('there is no such image');
      const read = async function* () {
        yield Buffer.alloc(512, 'x');
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
      };
      broken.set('work:data' as never, {
        ...image,
        ranges: null,
        open: async () => ({ read, close: async () => undefined }),
      });
      return archiver(archive, broken, progress);
    };
    const { ended } = await world.submit(command);
    expect(ended?.is).toBe('completed');
    const done = world.log.flatMap(({ event }) => (event.type === 'StepDone' ? (event.written ?? []) : []));
    expect(done.map(({ file: name, problem }: Written) => [name, problem])).toEqual([
      ['private.img', null],
      ['data.img', expect.stringContaining('i/o error')],
      ['private.img', null],
    ]);
    const told = world.log.map(({ event }) => event);
    expect(told.filter((event) => event.type === 'VmBackedUp').map(({ whole }) => whole)).toEqual([false, true]);
    const report = (await verified(readFileSync(file), PASSPHRASE)) as BackupReport;
    const bad = report.vms.flatMap((vm) => vm.files.filter(({ ok }) => !ok).map((one) => [vm.name, one.name]));
    expect([report.ok, bad]).toEqual([false, [['work', 'data.img']]]);
    rmSync(file);
  });
});

describe('a backup that is interrupted', () => {
  test('at any of its fault points, and again in its recovery, is whole or gone, without a snapshot left', async () => {
    const outcomes = new Set<boolean>();
    for (let n = 1; ; n++) {
      const world = forked();
      if (!(await world.dies(command, crashAt(n)))) {
        expect(n).toBeGreaterThan(20);
        break;
      }
      const left = whatIsLeft();
      for (let again = 1; n % 7 === 3; again++) {
        putBack(left);
        const second = world.fork();
        if (!(await second.recoveryDies(crashAt(again)))) break;
        await second.recover();
        outcomes.add(await insist(second, scene.oracle, `killed at ${n}, then at ${again} of its recovery`));
      }
      putBack(left);
      const rebooted = n % 3 === 0;
      if (rebooted) world.reboot();
      await world.recover();
      outcomes.add(await insist(world, rebooted ? afterReboot(scene.oracle) : scene.oracle, `killed at ${n}`));
    }
    rmSync(file);
    expect(outcomes).toEqual(new Set([false, true]));
  });

  test('by an lvm that is killed inside of any of its changes', async () => {
    for (const point of KILL_POINTS) {
      for (let n = 1; n <= 3; n++) {
        const world = forked();
        world.whenKilled = n % 2 === 0 ? 'throw' : 'fail';
        world.model.killAt(point, n);
        await world.dies(command, crashAt(null));
        world.model.disarm();
        await world.recover();
        await insist(world, scene.oracle, `lvm killed ${point} in change ${n}`);
      }
    }
  });

  test('in the middle of a file', async () => {
    const world = forked();
    const { archiver } = world;
    world.archiver = async (archive, images, progress) => {
      if (!archiver) throw new Error('there is no archiver');
      return new Promise((_resolve, reject) => {
        const open = async () => {
          reject(new Crash('after-step'));
          return new Promise<never>(() => undefined);
        };
        const hanging = new Map([...images].map(([key, image]) => [key, { ...image, open }]));
        void archiver(archive, hanging, progress);
      });
    };
    expect(await world.dies(command, crashAt(null))).toBe(true);
    expect(readdirSync(dir)).toEqual([
      expect.stringMatching(/^\.b\.qbk\..*\.part$/),
      expect.stringMatching(/^\.b\.qbk\..*\.part\.done$/),
    ]);
    await world.recover();
    expect(await insist(world, scene.oracle, 'killed in the middle')).toBe(false);
  });
});
