import type { Failure } from '../../../domain/failure.ts';
import { failure } from '../../../domain/failure.ts';
import type { Ran } from '../../process/run.ts';
import type { DeedOf } from '../dispatch.ts';
import type { Sighting } from '../driver.port.ts';
import {
  activateWords,
  createWords,
  type LvmWords,
  removeWords,
  renameWords,
  resizeWords,
  snapshotWords,
  unskipWords,
} from './argv.ts';
import { deviceInfoArgv, discardArgv, setTransactionArgv } from './device-argv.ts';
import { failureOfProgram, isWedged } from './failures.ts';
import { kernelIdOf, lookAtPool } from './look.ts';
import { devicePathOf, dmNameOf, poolDeviceOf } from './names.ts';
import { deviceFacts, withoutDashes } from './report.ts';
import { nameOf, theDisk, type Work } from './work.ts';

/**
 * After a crash inside the kernel's work for LVM every later command on the pool fails. Where the ids differ by exactly
 * the one message that was carried out, telling the kernel so keeps the LV as it was made (spec: testbed §2, F1).
 */
const unwedge = async ({ pool, settings, program }: Work): Promise<boolean> => {
  const report = await lookAtPool(pool, settings);
  const kernelId = await kernelIdOf(pool, settings);
  const lvmId = report.ok ? report.value.pool.transactionId : null;
  if (kernelId === null || lvmId !== kernelId + 1) return false;
  const argv = setTransactionArgv(poolDeviceOf(pool.volumeGroup, pool.thinPool), kernelId, lvmId);
  return (await program(argv)).evidence.exitCode === 0;
};

/** One lvm command; repeated once when all that stood in its way was a wedged pool. */
const change = async (work: Work, words: LvmWords, message: string): Promise<Failure | null> => {
  const first = await work.lvm(words);
  const repeat = first.evidence.exitCode !== 0 && isWedged(first.evidence) && (await unwedge(work));
  const { evidence }: Ran = repeat ? await work.lvm(words) : first;
  return evidence.exitCode === 0 ? null : failureOfProgram(evidence, message);
};

/** Two commands for an LV with the activation skip flag: LVM does not take both wishes in one. */
export const madeActive = async (work: Work, { active, skipped, name }: Sighting): Promise<Failure | null> => {
  if (active) return null;
  const message = `${name} could not be activated`;
  const held = skipped ? await change(work, unskipWords(name, work.job), message) : null;
  return held ?? change(work, activateWords(name, work.job), message);
};

export const create = async (work: Work, { at, bytes }: DeedOf<'create'>): Promise<Failure | null> => {
  const name = nameOf(at);
  return change(work, createWords(work.pool, name, bytes, work.job), `${name} could not be created`);
};

export const snapshot = async (work: Work, { of, from, at }: DeedOf<'snapshot'>): Promise<Failure | null> => {
  const source = await theDisk(work, from, of);
  if (!source.ok) return source.error;
  const failed = await madeActive(work, source.value);
  if (failed) return failed;
  const name = nameOf(at);
  return change(work, snapshotWords(source.value.name, name, work.job), `${name} could not be made`);
};

export const move = async (work: Work, { disk, from, to }: DeedOf<'move'>): Promise<Failure | null> => {
  const found = await theDisk(work, from, disk);
  if (!found.ok) return found.error;
  const target = nameOf(to);
  return change(work, renameWords(found.value.name, target, work.job), `${found.value.name} could not be renamed`);
};

export const resize = async (work: Work, { disk, at, bytes, shrink }: DeedOf<'resize'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  if (!found.ok) return found.error;
  const { name } = found.value;
  const failed = await change(work, resizeWords(name, bytes, shrink, work.job), `${name} could not be resized`);
  // A size that LVM rounds to the one the LV has: it may have been given before a crash.
  return failed && /matches existing size/.test(failed.cause ?? '') ? null : failed;
};

export const activate = async (work: Work, { disk, at }: DeedOf<'activate'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  return found.ok ? madeActive(work, found.value) : found.error;
};

/**
 * Whose device a name leads to at this moment, and how many have it open: asked of the kernel right before bytes are
 * destroyed through that name. `gone`: there is no device, or it is another disk's.
 */
export const holdersOf = async ({ program }: Work, { name, id }: Sighting): Promise<number | 'gone'> => {
  const facts = deviceFacts((await program(deviceInfoArgv(dmNameOf(name)))).stdout);
  return facts?.uuid === withoutDashes(id) ? facts.open : 'gone';
};

/**
 * LVM drops an LV from its list before the kernel refuses to forget it, and counts a transaction that the kernel does not:
 * in a pool that takes no writes nothing is removed. The disk stays in the trash.
 */
const closed = (work: Work, name: string): Failure | null => {
  const trouble = work.trouble();
  if (trouble !== 'read-only' && trouble !== 'failed') return null;
  return failure('D_POOL_READ_ONLY', `${name} is not removed while its pool takes no writes`);
};

/**
 * Discards, then removes, both for this disk only. A disk that somebody has open is left whole: LVM would refuse the
 * removal, and the discard before it would have zeroed the disk under its user (spec: storage 2.5, #3964). A discard
 * that fails, or a device that is missing, costs nothing but time: removal frees the blocks as well.
 */
export const erase = async (work: Work, { disk, at }: DeedOf<'erase'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  if (!found.ok) return found.error;
  const { name } = found.value;
  const kept = closed(work, name);
  if (kept) return kept;
  const holders = await holdersOf(work, found.value);
  if (holders !== 'gone' && holders > 0) return failure('D_DEVICE_IN_USE', `${name} is open`);
  if (holders !== 'gone') await work.program(discardArgv(devicePathOf(name)));
  return change(work, removeWords(disk, name, work.job), `${name} could not be removed`);
};

/** Removes a phantom. Its device does not exist, so there is nothing to discard. */
export const scrap = async (work: Work, { id, name, usable, active }: Sighting): Promise<Failure | null> => {
  if (usable && active) throw new Error(`${name} is usable and must not be scrapped`);
  return closed(work, name) ?? change(work, removeWords(id, name, work.job), `${name} could not be removed`);
};
