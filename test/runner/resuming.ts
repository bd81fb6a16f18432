import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Unwritten, unwritten } from '../../domain/backup/interrupted.ts';
import type { Failure } from '../../domain/failure.ts';
import { emptyHost, evolve, type Host } from '../../domain/host/host.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Archiver } from '../../infrastructure/backup/archiver.port.ts';
import { type Interrupted, lookAtInterrupted, placeOf } from '../../infrastructure/backup/interrupted.ts';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import type { Image } from '../../infrastructure/drivers/image.ts';
import type { Fault } from '../../infrastructure/fault.ts';
import { verified } from '../backup/vectors.ts';
import * as to from '../domain/commands.ts';
import { PASSPHRASE, withArchiver } from './archiver.ts';
import { Crash, newWorld, type World } from './world.ts';

const SIZE = 4 * 2 ** 20;
/** small ones, so that each file has several */
const CHUNK_BYTES = 48 * 1024;
const PIECE = 4096;

export const VMS = ['ann', 'bob', 'eve'] as const;
const textOf = (vm: string): string => `what ${vm} wrote `.repeat(9000);

const sha256Of = (text: string): string =>
  createHash('sha256')
    .update(Buffer.alloc(SIZE).fill(text, 0, text.length))
    .digest('hex');

/** Three VMs with some 130 KiB of data each, halted; `eve` has rules. */
export const threeVms = async (): Promise<World> => {
  const world = newWorld();
  await world.does(to.init(to.lvmPool('lvm')), to.templateVm('fedora'));
  for (const vm of VMS) {
    await world.does(to.appVm(vm, { template: 'fedora' }), to.resize(`${vm}:private`, SIZE, true), to.start(vm));
    world.model.writeAt(`vm-${vm}-private-snap`, 0, textOf(vm));
    await world.does(to.stop(vm));
  }
  return world.does(to.setFirewall('eve', ['action=accept dst4=192.0.2.1', 'action=drop']));
};

/** The process dies when so many bytes have been read: what is not in a file by then never comes there. */
export const dyingAfter =
  (archiver: Archiver, most: number): Archiver =>
  (archive, images, progress) =>
    new Promise((resolve, reject) => {
      let left = most;
      const mortal = (image: Image): Image => ({
        ...image,
        open: async () => {
          const opened = await image.open();
          const read = async function* (range: Parameters<typeof opened.read>[0]) {
            for await (const piece of opened.read(range))
              for (let at = 0; at < piece.length; at += PIECE) {
                left -= PIECE;
                if (left < 0) {
                  reject(new Crash('after-step'));
                  await new Promise(() => undefined);
                }
                yield piece.subarray(at, at + PIECE);
              }
          };
          return { ...opened, read };
        },
      });
      archiver(archive, new Map([...images].map(([key, image]) => [key, mortal(image)])), progress).then(
        resolve,
        reject,
      );
    });

export const beginning = (world: World): World => withArchiver(world, { chunkBytes: CHUNK_BYTES });

/** The one that waits. */
export const waiting = (world: World): Unwritten => {
  const [found] = [...world.host.operations.values()].flatMap((operation) => unwritten(operation) ?? []);
  if (!found) throw new Error('no backup waits');
  return found;
};

/** The state at an event, from the log. */
const hostAt = (world: World, position: number): Host => {
  const host = emptyHost();
  for (const recorded of world.log) if (recorded.position <= position) evolve(host, recorded);
  return host;
};

export type Resumed = { readonly world: World; readonly found: Interrupted | null };

/** `backup resume`: looks first, goes on then. An error has changed nothing. */
export const resume = async (
  world: World,
  { passphrase = PASSPHRASE, fault, dies }: { passphrase?: string; fault?: Fault; dies?: number } = {},
): Promise<Result<Resumed, Failure>> => {
  const { operation, archive } = waiting(world);
  const looked = await lookAtInterrupted(placeOf(archive), passphrase);
  if (!looked.ok) return looked;
  const interrupted = looked.value;
  withArchiver(world, {
    chunkBytes: CHUNK_BYTES,
    passphrase,
    ...(interrupted ? { interrupted } : {}),
    host: () => (interrupted ? hostAt(world, interrupted.taken.event) : world.host),
  });
  if (dies !== undefined && world.archiver) world.archiver = dyingAfter(world.archiver, dies);
  const ended = await world.resume(operation.command, fault);
  return ended.is === 'completed' ? ok({ world, found: interrupted }) : err(ended.failure);
};

/** The file is there and whole, every VM as it was, nothing beside it, no snapshot left, and the log tells of all. */
export const isWhole = async (world: World, file: string): Promise<void> => {
  const report = (await verified(readFileSync(file), PASSPHRASE)) as BackupReport;
  expect(report).toMatchObject({ ok: true, problems: [] });
  expect(report.vms.map(({ name, files }) => [name, files[0]?.sha256, files.length])).toEqual(
    VMS.map((vm) => [vm, sha256Of(textOf(vm)), vm === 'eve' ? 2 : 1]),
  );
  const told = world.log.map(({ event }) => event);
  expect(told.flatMap((event) => (event.type === 'VolumeBackedUp' ? [event.volume] : []))).toEqual(
    VMS.map((vm) => `${vm}:private`),
  );
  expect(told.filter((event) => event.type === 'VmBackedUp').map((event) => event.whole)).toEqual([true, true, true]);
  isTidy(world, file, true);
};

/** No part file, no marks, no snapshot, nothing unfinished. */
export const isTidy = (world: World, file: string, there: boolean): void => {
  const dir = join(file, '..');
  expect(readdirSync(dir)).toEqual(there ? [file.slice(dir.length + 1)] : []);
  expect([...world.host.operations.values()]).toEqual([]);
  const names = [...world.model.state().lvs.values()].map(({ name }) => name);
  expect(names.filter((name) => /import|trash/.test(name))).toEqual([]);
};

export const clear = (dir: string): void => {
  for (const name of readdirSync(dir)) rmSync(join(dir, name));
};
