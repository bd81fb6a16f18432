import { setTimeout as pause } from 'node:timers/promises';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Range } from '../image.ts';
import { type PoolName, privileged } from './argv.ts';
import {
  deviceInfoArgv,
  deviceTableArgv,
  poolStatusArgv,
  releaseMetadataArgv,
  reserveMetadataArgv,
  thinDumpArgv,
} from './device-argv.ts';
import { dmNameOf, metadataNameOf, poolDeviceOf } from './names.ts';
import { parseThinDump } from './thin-dump.ts';
import type { Settings } from './work.ts';

type Hands = Pick<Settings, 'run' | 'uid'>;

/** A volume of 10 GiB with every second block of 64 KiB in use takes 7 MB; more is read as if there were no map. */
const MOST_BYTES = 32 * 2 ** 20;

const said = async ({ run, uid }: Hands, argv: readonly [string, ...string[]]): Promise<string | null> => {
  const { evidence, stdout } = await run(privileged(uid, argv), { maxBytes: MOST_BYTES });
  return evidence.exitCode === 0 ? stdout : null;
};

/** The number of a device in its pool, as the kernel has it; null for one that shows anything else than its own blocks. */
const thinIdOf = async (hands: Hands, name: string, bytes: number): Promise<number | null> => {
  const table = await said(hands, deviceTableArgv(dmNameOf(name)));
  const [, sectors, id] = /^0 (\d+) thin \d+:\d+ (\d+) *\n$/.exec(table ?? '') ?? [];
  return Number(sectors) * 512 === bytes ? Number(id) : null;
};

/** Whether somebody holds the pool's one metadata snapshot; null where the pool does not say. */
const isHeld = async (hands: Hands, pool: string): Promise<boolean | null> => {
  const status = await said(hands, poolStatusArgv(pool));
  const [, held] =
    /^0 \d+ thin-pool \d+ \d+\/\d+ \d+\/\d+ (-|\d+) (?:rw|ro|out_of_data_space) /.exec(status ?? '') ?? [];
  return held === undefined ? null : held !== '-';
};

const stillHeld = (pool: string): Failure =>
  failure('D_STEP_FAILED', `the snapshot of the metadata of ${pool} could not be given back`, {
    next: `dmsetup message ${pool} 0 release_metadata_snap`,
  });

/**
 * What is allocated of a thin volume that nobody writes to, from the pool's metadata: what lies outside reads as zeros. Null
 * where that cannot be had for sure, for instance because somebody else looks at the metadata, of which there is one snapshot
 * a pool. Fails where ours could not be given back.
 */
export const mappedRanges = async (
  { volumeGroup, thinPool }: PoolName,
  hands: Hands,
  { name, bytes }: { readonly name: string; readonly bytes: number },
): Promise<Result<readonly Range[] | null, Failure>> => {
  const pool = poolDeviceOf(volumeGroup, thinPool);
  const thinId = await thinIdOf(hands, name, bytes);
  if (thinId === null || (await isHeld(hands, pool)) !== false) return ok(null);
  if ((await said(hands, reserveMetadataArgv(pool))) === null) return ok(null);
  const dump = await said(hands, thinDumpArgv(`/dev/mapper/${metadataNameOf(volumeGroup, thinPool)}`, thinId));
  if ((await said(hands, releaseMetadataArgv(pool))) === null) return err(stillHeld(pool));
  return ok(parseThinDump(dump ?? '', thinId));
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
  if (!(await isHeld(hands, pool))) return;
  const metadata = metadataNameOf(volumeGroup, thinPool);
  // Our own thin_dump outlives us for a moment.
  let read = await isRead(hands, metadata);
  for (let left = patienceMs; read && left > 0; left -= BETWEEN_LOOKS_MS) {
    await pause(BETWEEN_LOOKS_MS);
    read = await isRead(hands, metadata);
  }
  if (!read) await said(hands, releaseMetadataArgv(pool));
};
