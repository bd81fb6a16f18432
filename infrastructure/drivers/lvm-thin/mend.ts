import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolWound } from '../../../domain/pool/wound.ts';
import type { Acted } from '../driver.port.ts';
import {
  activateGroupWords,
  dumpTextWords,
  type PoolName,
  removeWords,
  repairHeaderWords,
  reportWords,
  searchTextsWords,
} from './argv.ts';
import { setTransactionArgv } from './device-argv.ts';
import { failureOfProgram } from './failures.ts';
import { poolDeviceOf } from './names.ts';
import { recording, type Settings } from './work.ts';

type Hands = ReturnType<typeof recording>;

const unwedge = async (
  { program }: Hands,
  { volumeGroup, thinPool }: PoolName,
  { lvm, kernel, name }: Extract<PoolWound, { is: 'wedged' }>,
): Promise<Failure | null> => {
  const { evidence } = await program(setTransactionArgv(poolDeviceOf(volumeGroup, thinPool), kernel, lvm));
  return evidence.exitCode === 0 ? null : failureOfProgram(evidence, `the kernel does not take ${name} as made`);
};

/** Compare and delete, by UUID: what has that name by now may be something else. */
const unlist = async (
  { lvm }: Hands,
  { disk, name }: Extract<PoolWound, { is: 'phantom' }>,
  command: string,
): Promise<Failure | null> => {
  const { evidence } = await lvm(removeWords(disk, name, { command, step: 0 }));
  return evidence.exitCode === 0 ? null : failureOfProgram(evidence, `${name} could not be taken off LVM's list`);
};

/** Devices whose description LVM cannot read, from its own complaint. */
export const tornDevices = (stderr: string): readonly string[] => {
  const found = stderr.matchAll(/metadata on (\/dev\/[A-Za-z0-9_.+/:-]+) at \d+ has invalid summary for VG/g);
  return [...new Set([...found].flatMap(([, device]) => (device === undefined ? [] : [device])))];
};

/** Where the newest whole text about a volume group begins: LVM keeps the older ones in a ring on the disk. */
export const newestText = (search: string, stderr: string, volumeGroup: string): number | null => {
  const broken = new Set(
    [...`${search}\n${stderr}`.matchAll(/(?:parse error|terminating bytes) for metadata at (\d+)/g)].map(
      ([, at]) => at,
    ),
  );
  let newest = { at: null as number | null, seqno: -1 };
  for (const [, at, group, seqno] of search.matchAll(/metadata at (\d+) length \d+ crc \w+ vg (\S+) seqno (\d+)/g)) {
    if (group !== volumeGroup || broken.has(at) || Number(seqno) <= newest.seqno) continue;
    newest = { at: Number(at), seqno: Number(seqno) };
  }
  return newest.at;
};

/** Writes the header of one device anew, from the newest whole text on it (spec: testbed §2, F2). */
const repairDevice = async (
  { lvm }: Hands,
  device: string,
  volumeGroup: string,
  file: string,
): Promise<Failure | null> => {
  const searched = await lvm(searchTextsWords(device));
  const at = newestText(searched.stdout, searched.evidence.stderr, volumeGroup);
  if (at === null)
    return failure('D_POOL_DAMAGED', `${device} holds no whole description of volume group ${volumeGroup}`);
  for (const words of [dumpTextWords(device, at, file), repairHeaderWords(device, file)]) {
    const { evidence } = await lvm(words);
    if (evidence.exitCode !== 0)
      return failureOfProgram(evidence, `the description on ${device} could not be repaired`);
  }
  return null;
};

const restore = async (hands: Hands, pool: PoolName): Promise<Failure | null> => {
  const { evidence } = await hands.lvm(reportWords(pool));
  const dir = await mkdtemp(join(tmpdir(), 'domtrail-repair-'));
  try {
    for (const device of tornDevices(evidence.stderr)) {
      const failed = await repairDevice(hands, device, pool.volumeGroup, join(dir, 'text'));
      if (failed) return failed;
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  // Its disks were not there when the host came up. One that cannot be activated is the next wound to look at.
  await hands.lvm(activateGroupWords(pool.volumeGroup));
  return null;
};

/** Puts one wound right. What is left is for the next examination to say. */
export const mendPool = async (
  pool: PoolName,
  settings: Settings,
  wound: PoolWound,
  command: string,
): Promise<Acted> => {
  const hands = recording(settings);
  const work = (): Promise<Failure | null> => {
    switch (wound.is) {
      case 'wedged':
        return unwedge(hands, pool, wound);
      case 'phantom':
        return unlist(hands, wound, command);
      case 'torn':
        return restore(hands, pool);
    }
  };
  const failed = (await work()) ?? (await settings.flush(pool));
  return { evidence: hands.evidence(), failure: failed };
};
