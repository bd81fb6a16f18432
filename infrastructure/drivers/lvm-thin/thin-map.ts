import { setTimeout as pause } from 'node:timers/promises';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { NOT_STARTED } from '../../process/run.ts';
import type { Range } from '../image.ts';
import { type Argv, type PoolName, privileged } from './argv.ts';
import {
  deviceInfoArgv,
  deviceStatusArgv,
  deviceTableArgv,
  releaseMetadataArgv,
  reserveMetadataArgv,
  thinDumpArgv,
} from './device-argv.ts';
import { dmNameOf, metadataNameOf, poolDeviceOf } from './names.ts';
import { type LiveDevice, thinDumpReader } from './thin-dump.ts';
import type { Settings } from './work.ts';

type Hands = Pick<Settings, 'run' | 'uid'>;

const said = async ({ run, uid }: Hands, argv: Argv): Promise<string | null> => {
  const { evidence, stdout } = await run(privileged(uid, argv));
  return evidence.exitCode === 0 ? stdout : null;
};

/** The number of a device in its pool, as the kernel has it; null for one that shows anything else than its own blocks. */
const thinIdOf = async (hands: Hands, name: string, bytes: number): Promise<number | null> => {
  const table = await said(hands, deviceTableArgv(dmNameOf(name)));
  const [, sectors, id] = /^0 (\d+) thin \d+:\d+ (\d+) *\n$/.exec(table ?? '') ?? [];
  return Number(sectors) * 512 === bytes ? Number(id) : null;
};

/** What is allocated of a device, in sectors; null where the kernel does not say. */
const allocated = async (hands: Hands, name: string): Promise<Pick<LiveDevice, 'mapped' | 'last'> | null> => {
  const status = await said(hands, deviceStatusArgv(dmNameOf(name)));
  const [, mapped, last] = /^0 \d+ thin (\d{1,15}) (-|\d{1,15}) *\n$/.exec(status ?? '') ?? [];
  return mapped === undefined ? null : { mapped: Number(mapped), last: last === '-' ? -1 : Number(last) };
};

type PoolState = { readonly transaction: number; readonly held: boolean };

/** Whether somebody holds the pool's one metadata snapshot; null where the pool does not say. */
const stateOf = async (hands: Hands, pool: string): Promise<PoolState | null> => {
  const status = await said(hands, deviceStatusArgv(pool));
  const [, transaction, held] =
    /^0 \d+ thin-pool (\d{1,15}) \d+\/\d+ \d+\/\d+ (-|\d+) (?:rw|ro|out_of_data_space) /.exec(status ?? '') ?? [];
  return held === undefined ? null : { transaction: Number(transaction), held: held !== '-' };
};

const stillHeld = (pool: string): Failure =>
  failure('D_STEP_FAILED', `the snapshot of the metadata of ${pool} could not be given back`, {
    next: `dmsetup message ${pool} 0 release_metadata_snap`,
  });

/** A Ctrl-C reaches dmsetup too: then it is asked once more. */
const givenBack = async (hands: Hands, pool: string): Promise<boolean> => {
  for (let left = 2; left > 0; left--) {
    if ((await said(hands, releaseMetadataArgv(pool))) !== null) return true;
    if ((await stateOf(hands, pool))?.held === false) return true;
  }
  return false;
};

/** Where a volume has data; without that, `why` nobody can tell, for people. */
export type ThinMap = { readonly ranges: readonly Range[] } | { readonly ranges: null; readonly why: string };

const none = (why: string): Result<ThinMap, Failure> => ok({ ranges: null, why });

const dumped = async (hands: Hands, metadata: string, device: LiveDevice): Promise<ThinMap> => {
  const reader = thinDumpReader(device);
  const argv = privileged(hands.uid, thinDumpArgv(metadata, device.id));
  const { evidence } = await hands.run(argv, { eachLine: reader.line });
  if (evidence.exitCode === NOT_STARTED)
    return { ranges: null, why: 'there is no thin_dump (thin-provisioning-tools)' };
  const ranges = evidence.exitCode === 0 ? reader.ranges() : null;
  return ranges ? { ranges } : { ranges: null, why: 'what thin_dump said of it does not agree with the kernel' };
};

/** What the kernel says before the metadata is taken: a dump of an older state has an older transaction. */
const liveDevice = async (hands: Hands, pool: string, { name, bytes }: Volume): Promise<Result<LiveDevice, string>> => {
  const id = await thinIdOf(hands, name, bytes);
  const blocks = id === null ? null : await allocated(hands, name);
  if (id === null || blocks === null) return err('its device is no plain thin volume of its size');
  const state = await stateOf(hands, pool);
  if (state === null) return err('its pool does not tell its state');
  if (state.held) return err('somebody else holds the snapshot of the metadata of its pool');
  return ok({ id, ...blocks, transaction: state.transaction });
};

type Volume = { readonly name: string; readonly bytes: number };

/**
 * What is allocated of a thin volume that nobody writes to, from the pool's metadata: what lies outside reads as zeros. None
 * where that cannot be had for sure, for instance because somebody else looks at the metadata, of which there is one snapshot
 * a pool. Fails where ours could not be given back.
 */
export const mappedRanges = async (
  { volumeGroup, thinPool }: PoolName,
  hands: Hands,
  volume: Volume,
): Promise<Result<ThinMap, Failure>> => {
  const pool = poolDeviceOf(volumeGroup, thinPool);
  const live = await liveDevice(hands, pool, volume);
  if (!live.ok) return none(live.error);
  if ((await said(hands, reserveMetadataArgv(pool))) === null)
    return none('the metadata of its pool could not be held');
  const map = await dumped(hands, `/dev/mapper/${metadataNameOf(volumeGroup, thinPool)}`, live.value);
  return (await givenBack(hands, pool)) ? ok(map) : err(stillHeld(pool));
};

/** The pool itself has it open, and whoever reads it. */
const isRead = async (hands: Hands, device: string): Promise<boolean> => {
  const info = await said(hands, deviceInfoArgv(device));
  return !/ [01]\n$/.test(info ?? '');
};

const BETWEEN_LOOKS_MS = 200;

/**
 * Gives back the snapshot of the metadata that a process of ours died with. The kernel does not say whose it is: one that
 * somebody reads at the moment stays.
 */
export const releaseMetadata = async (
  { volumeGroup, thinPool }: PoolName,
  { patienceMs, ...hands }: Hands & Pick<Settings, 'patienceMs'>,
): Promise<void> => {
  const pool = poolDeviceOf(volumeGroup, thinPool);
  if (!(await stateOf(hands, pool))?.held) return;
  const metadata = metadataNameOf(volumeGroup, thinPool);
  // Our own thin_dump outlives us for a moment.
  let read = await isRead(hands, metadata);
  for (let left = patienceMs; read && left > 0; left -= BETWEEN_LOOKS_MS) {
    await pause(BETWEEN_LOOKS_MS);
    read = await isRead(hands, metadata);
  }
  if (!read) await givenBack(hands, pool);
};
