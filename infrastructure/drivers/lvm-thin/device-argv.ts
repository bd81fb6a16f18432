import type { Argv } from './argv.ts';

/** Each device on its own: without names all of the machine's file systems would be waited for. */
export const syncArgv = (devices: readonly string[]): Argv => ['sync', '--data', ...devices];

/** What the kernel knows of a pool; its transaction id is the first number after the target's name. */
export const poolStatusArgv = (device: string): Argv => ['dmsetup', 'status', device];

/** What a device shows: for a thin volume its pool's number and its own there. */
export const deviceTableArgv = (dmName: string): Argv => ['dmsetup', 'table', dmName];

/** Holds the metadata as it is now, so that it can be read while the pool works. A pool has one such snapshot. */
export const reserveMetadataArgv = (device: string): Argv => [
  'dmsetup',
  'message',
  device,
  '0',
  'reserve_metadata_snap',
];

export const releaseMetadataArgv = (device: string): Argv => [
  'dmsetup',
  'message',
  device,
  '0',
  'release_metadata_snap',
];

/** What is allocated of one thin volume, from the snapshot of the metadata (thin_dump(8)). */
export const thinDumpArgv = (metadata: string, thinId: number): Argv => [
  'thin_dump',
  '--metadata-snap',
  '--dev-id',
  `${thinId}`,
  metadata,
];

/** `UUID OPEN`: whose device it really is and how many have it open. */
export const deviceInfoArgv = (dmName: string): Argv => [
  'dmsetup',
  'info',
  '-c',
  '--noheadings',
  '--separator',
  ' ',
  '-o',
  'uuid,open',
  dmName,
];

/** Tells the kernel's side of a pool that a message it carried out before a crash counts (spec: testbed §2, F1). */
export const setTransactionArgv = (device: string, from: number, to: number): Argv => [
  'dmsetup',
  'message',
  device,
  '0',
  `set_transaction_id ${from} ${to}`,
];

/** In steps of 1 GiB: one discard of a large device would block the pool's other users (qubes-issues #5077). */
export const discardArgv = (device: string): Argv => ['blkdiscard', '-p', '1G', device];

/** For pools that ignore discards: writes the zeros. */
export const zeroArgv = (device: string): Argv => ['blkdiscard', '--zeroout', '-p', '1G', device];
