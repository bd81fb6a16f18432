import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { unwritten } from '../../domain/backup/interrupted.ts';
import type { Command } from '../../domain/decide.ts';
import { lookAtInterrupted, placeOf } from '../../infrastructure/backup/interrupted.ts';
import * as to from '../domain/commands.ts';
import { PASSPHRASE, withArchiver } from './archiver.ts';
import { beginning, clear, dyingAfter, isTidy, isWhole, resume, threeVms, VMS, waiting } from './resuming.ts';
import { Crash, crashAt, type World } from './world.ts';

const dir = mkdtempSync(join(tmpdir(), 'domtrail-resume-'));
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => clear(dir));
const file = join(dir, 'b.qbk');
const KIB = 1024;

let scene: World;
beforeAll(async () => {
  scene = await threeVms();
});

const command = to.backup(file, ...VMS);

/** A world whose backup died when so many bytes were read. */
const interruptedAfter = async (bytes: number): Promise<World> => {
  const world = beginning(scene.fork());
  if (!world.archiver) throw new Error('there is no archiver');
  world.archiver = dyingAfter(world.archiver, bytes);
  expect(await world.dies(command, crashAt(null)), `${bytes}`).toBe(true);
  return world;
};

const part = (): string => join(dir, readdirSync(dir).find((name) => name.endsWith('.part')) ?? 'no part file');
const marks = (): string => `${part()}.done`;

const must = async (world: World): Promise<{ readonly finished: number; readonly offset: number }> => {
  const resumed = await resume(world);
  if (!resumed.ok) throw new Error(`${resumed.error.code}: ${resumed.error.message}`);
  return { finished: resumed.value.found?.finished.length ?? 0, offset: resumed.value.found?.offset ?? 0 };
};

describe('a backup that was interrupted after any number of bytes', () => {
  test('goes on at the next file that was not complete, and is what it would have been', async () => {
    const finished: number[] = [];
    for (const kib of [0, 60, 188, 200, 372, 400, 570]) {
      const world = await interruptedAfter(kib * KIB);
      const before = readFileSync(part());
      const went = await must(world);
      finished.push(went.finished);
      // Salts are random: the same bytes were not written a second time.
      expect(readFileSync(file).subarray(0, went.offset).equals(before.subarray(0, went.offset))).toBe(true);
      await isWhole(world, file);
      clear(dir);
    }
    expect(finished).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });

  test('may be interrupted again and again, each time after less than one file', async () => {
    const world = await interruptedAfter(60 * KIB);
    for (const dies of [200 * KIB, 10 * KIB, 200 * KIB]) await expect(resume(world, { dies })).rejects.toThrow(Crash);
    expect((await must(world)).finished).toBe(2);
    await isWhole(world, file);
  });

  test('keeps the picture of then, whatever has happened to the VMs since', async () => {
    const world = await interruptedAfter(250 * KIB);
    await world.recover(undefined, false);
    world.archiver = null;
    await world.does(to.setFirewall('eve', ['action=accept']), to.start('bob'), to.start('eve'));
    world.model.writeAt('vm-eve-private-snap', 0, 'something else');
    await world.does(to.stop('eve'), to.removeVm('ann'));
    await must(world);
    clear(dir);
    const told = world.log.flatMap(({ event }) => (event.type === 'VolumeBackedUp' ? [event] : []));
    // `ann` is in the file; what became of a VM that is gone is nobody's fact.
    expect(told.map(({ volume }) => volume)).toEqual(['bob:private', 'eve:private']);
    const undisturbed = beginning(scene.fork());
    await undisturbed.does(command);
    const wanted = undisturbed.log.flatMap(({ event }) => (event.type === 'VolumeBackedUp' ? [event.digest] : []));
    expect(told.map(({ digest }) => digest)).toEqual(wanted.slice(1));
  });

  test('goes on after a reboot that left its snapshots without devices', async () => {
    const world = await interruptedAfter(250 * KIB);
    world.reboot({ autoactivate: false });
    await world.recover(undefined, false);
    expect((await must(world)).finished).toBe(1);
    await isWhole(world, file);
  });
});

describe('a power cut besides', () => {
  const written = 300 * KIB;

  test('whatever it tears behind the last file that was on the disk is written again', async () => {
    for (const tear of [
      () => truncateSync(part(), readFileSync(part()).length - 3000),
      () => writeFileSync(part(), Buffer.alloc(70_000, 0x5a), { flag: 'a' }),
      () => writeFileSync(marks(), 'half a li', { flag: 'a' }),
      () => writeFileSync(marks(), `${'QUJD'.repeat(30)}\n`, { flag: 'a' }),
    ]) {
      const world = await interruptedAfter(written);
      tear();
      expect((await must(world)).finished).toBe(1);
      await isWhole(world, file);
      clear(dir);
    }
  });

  test('a mark whose data is not there does not count, nor does any after it', async () => {
    for (const [from, finished] of [
      [0.95, 1],
      [0.3, 0],
    ] as const) {
      const world = await interruptedAfter(450 * KIB);
      const bytes = readFileSync(part());
      const { offset } = await lookNow(world);
      const at = Math.floor(offset * from);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      writeFileSync(part(), bytes);
      expect((await must(world)).finished).toBe(finished);
      await isWhole(world, file);
      clear(dir);
    }
  });

  test('lines that are missing, of another backup or changed by somebody are no reason to trust anything', async () => {
    const world = await interruptedAfter(450 * KIB);
    const lines = readFileSync(marks(), 'latin1').split('\n');
    expect(lines).toHaveLength(4);
    writeFileSync(marks(), [lines[0], lines[2], lines[1], ''].join('\n'));
    expect((await must(world.fork())).finished).toBe(0);
  });

  test('where the beginning itself is not as it was, nothing goes on and nothing is touched', async () => {
    const world = await interruptedAfter(written);
    const bytes = readFileSync(part());
    bytes[600] = (bytes[600] ?? 0) ^ 1;
    writeFileSync(part(), bytes);
    const refused = await resume(world);
    expect(refused).toMatchObject({ ok: false, error: { code: 'D_VERIFY' } });
    expect(readFileSync(part()).equals(bytes)).toBe(true);
    rmSync(part());
    // A disk that is not mounted looks like this: nothing is written into the directory underneath.
    expect(await resume(world)).toMatchObject({ ok: false, error: { code: 'D_NOT_FOUND' } });
    expect(waiting(world).archive.to).toEqual({ kind: 'file', path: file });
    await world.recover();
    isTidy(world, file, false);
  });
});

describe('whoever wants to go on', () => {
  test('has to know the passphrase; a wrong one changes nothing', async () => {
    const world = await interruptedAfter(300 * KIB);
    const now = (): string => [part(), marks()].map((path) => readFileSync(path, 'latin1')).join('|');
    const before = now();
    expect(await resume(world, { passphrase: 'guessed' })).toMatchObject({ ok: false, error: { code: 'D_VERIFY' } });
    expect(now() === before).toBe(true);
    expect((await must(world)).finished).toBe(1);
    await isWhole(world, file);
  });

  test('finds no names, sizes or digests beside the part file', async () => {
    const world = await interruptedAfter(450 * KIB);
    const hidden = Buffer.from(readFileSync(marks(), 'latin1').replaceAll('\n', ''), 'base64').toString('latin1');
    expect(hidden).not.toMatch(/private|ann|vm\d|digest|offset/);
    expect(waiting(world).operation.command).not.toBe('');
  });

  test('fails honestly when a snapshot was removed meanwhile, and leaves nothing behind', async () => {
    const world = await interruptedAfter(300 * KIB);
    const pin = [...world.model.state().lvs.values()].find(({ name }) => /eve-private-\d+-new-import/.test(name));
    world.model.remove(pin?.name ?? '');
    const ended = await resume(world);
    expect(ended).toMatchObject({ ok: false, error: { code: 'D_DRIFT' } });
    expect(existsSync(file)).toBe(false);
  });
});

describe('a kill at any fault point', () => {
  test('of the backup, then of its resumption, ends in a backup that is whole or in none', async () => {
    const outcomes = new Map<string, number>();
    const count = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
    for (let n = 1; ; n++) {
      const world = beginning(scene.fork());
      if (!(await world.dies(command, crashAt(n)))) break;
      world.archiver = null;
      const waits = [...world.host.operations.values()].some((operation) => unwritten(operation));
      if (!waits) {
        await world.recover(undefined, false);
        const told = world.log.some(({ event }) => event.type === 'VmBackedUp');
        count(told ? 'finished' : 'taken back');
        if (told) {
          // From here on nothing is left to resume: backup.test.ts goes through the rest.
          await isWhole(world, file);
          break;
        }
        isTidy(world, file, false);
      } else if (readdirSync(dir).length === 0) {
        expect(await resume(world)).toMatchObject({ ok: false, error: { code: 'D_NOT_FOUND' } });
        await world.recover();
        isTidy(world, file, false);
        count('not begun');
      } else {
        const again = 1 + (n % 4);
        const died = await resume(world, { fault: crashAt(again) }).then(
          () => false,
          (error: unknown) => error instanceof Crash,
        );
        expect(died).toBe(true);
        world.archiver = null;
        await world.recover(undefined, false);
        if (world.host.operations.size > 0) await must(world);
        await isWhole(world, file);
        count('resumed');
      }
      clear(dir);
    }
    expect(Object.fromEntries(outcomes)).toEqual({
      finished: 1,
      'not begun': expect.any(Number),
      resumed: expect.any(Number),
      'taken back': expect.any(Number),
    });
  });

  test('recover gives one up that waits, and other commands do not', async () => {
    const world = await interruptedAfter(300 * KIB);
    expect(await world.recover(undefined, false)).toEqual([]);
    expect(await world.recover()).toMatchObject([{ name: 'BackupVM', outcome: 'abandoned' }]);
    isTidy(world, file, false);
  });
});

test('a backup to standard output does not wait: what went out cannot be called back', async () => {
  // The process leaves its directory for temporary files behind, as any does that is killed.
  const place = mkdtempSync(join(tmpdir(), 'domtrail-resume-'));
  vi.stubEnv('TMPDIR', place);
  const nowhere = openSync('/dev/null', 'w');
  const world = withArchiver(scene.fork(), { stdout: nowhere });
  if (!world.archiver) throw new Error('there is no archiver');
  world.archiver = dyingAfter(world.archiver, 0);
  const payload = { vms: [...VMS], to: { kind: 'stdout' }, compression: 'none' };
  expect(await world.dies({ name: 'BackupVM', payload } as Command, crashAt(null))).toBe(true);
  world.archiver = null;
  expect(await world.recover(undefined, false)).toMatchObject([{ name: 'BackupVM', outcome: 'abandoned' }]);
  isTidy(world, file, false);
  closeSync(nowhere);
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true });
});

/** What is there to go on from, without going on. */
const lookNow = async (world: World): Promise<{ readonly offset: number }> => {
  const looked = await lookAtInterrupted(placeOf(waiting(world).archive), PASSPHRASE);
  if (!looked.ok || !looked.value) throw new Error('there is nothing');
  return looked.value;
};
