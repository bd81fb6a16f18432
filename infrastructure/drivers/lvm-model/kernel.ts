import { err, ok, type Result } from '../../../domain/result.ts';
import { CHUNK, type Chunks, countBlocks, NO_CHUNKS } from './content.ts';
import { EXTENT, type Lv, type Message, type Refusal, type State } from './state.ts';

export const capacityOf = ({ pool }: State): number => (pool.extents * EXTENT) / CHUNK;

export const usedBlocks = ({ kernel }: State): number => countBlocks(kernel.devices.values());

/** Whether the pool is out of data space. The sum over all disks is cheap and an upper bound, so it is asked first. */
export const isFull = (state: State): boolean => {
  let most = 0;
  for (const chunks of state.kernel.devices.values()) most += chunks.size;
  return most >= capacityOf(state) && usedBlocks(state) >= capacityOf(state);
};

/** 4 MiB in blocks of 4 KiB. */
const METADATA_BLOCKS = 1024;
export const METADATA_BYTES = METADATA_BLOCKS * 4096;

/** Superblock, space maps and bitmaps: `metadata_percent` of an empty pool is 10.84 (measured with 2.03.16). */
const METADATA_OF_POOL = 111;
const CHUNKS_IN_BLOCK = 170;

/** Blocks of metadata in use: one for each device, and leaves of mappings. */
const metadataBlocks = ({ kernel }: State): number => {
  let blocks = METADATA_OF_POOL + kernel.fragments;
  for (const chunks of kernel.devices.values()) blocks += 1 + Math.floor(chunks.size / CHUNKS_IN_BLOCK);
  return Math.min(METADATA_BLOCKS, blocks);
};

export const metadataShare = (state: State): number => metadataBlocks(state) / METADATA_BLOCKS;

/** Whether LVM and the kernel count what no waiting message explains. LVM makes and activates nothing in such a pool. */
export const isStray = ({ pool, kernel }: State): boolean => {
  const ahead = pool.transactionId - kernel.transactionId;
  return ahead !== 0 && !(ahead === 1 && pool.messages.length > 0);
};

/** With less than a quarter left LVM makes nothing more in a pool of this size. */
const METADATA_THRESHOLD = 0.75;

/** Why nothing can be made in the pool now; null when it can. */
export const closedPool = (state: State): Refusal | null => {
  const { mode } = state.kernel;
  if (mode !== 'rw') return { is: mode };
  if (isFull(state)) return { is: 'full' };
  const share = metadataShare(state);
  return share >= METADATA_THRESHOLD ? { is: 'metadata-low', percent: share * 100 } : null;
};

export const chunksOf = ({ kernel }: State, { thinId }: Lv): Chunks | undefined => kernel.devices.get(thinId);

export const withChunks = (state: State, { thinId }: Lv, chunks: Chunks): State => ({
  ...state,
  kernel: { ...state.kernel, devices: new Map(state.kernel.devices).set(thinId, chunks) },
});

/** Carries one message out. A snapshot gets the content its origin has NOW, which is what makes phantoms dangerous. */
const carriedOut = (devices: Map<number, Chunks>, message: Message): Refusal | null => {
  if ('delete' in message) {
    devices.delete(message.delete);
    return null;
  }
  if (devices.has(message.create)) return { is: 'wedged', thinId: message.create };
  const content = message.origin === null ? NO_CHUNKS : (devices.get(message.origin) ?? NO_CHUNKS);
  devices.set(message.create, content);
  return null;
};

/** The kernel after carrying out what waits, before it is told the new transaction id. */
export const devicesAfter = (state: State): Result<State, Refusal> => {
  const devices = new Map(state.kernel.devices);
  for (const message of state.pool.messages) {
    const refused = carriedOut(devices, message);
    if (refused) return err(refused);
  }
  return ok({ ...state, kernel: { ...state.kernel, devices } });
};

/** Both sides agree again, and LVM has written that nothing waits. */
export const settled = (state: State): State => ({
  ...state,
  seqno: state.seqno + 1,
  kernel: { ...state.kernel, transactionId: state.pool.transactionId },
  pool: { ...state.pool, messages: [] },
});

/**
 * What LVM does before every change of the pool: sends what waits. Messages that the kernel knows to be done already
 * (the ids agree) are only forgotten.
 */
export const flushed = (state: State): Result<State, Refusal> => {
  if (state.pool.messages.length === 0) return ok(state);
  if (state.kernel.transactionId === state.pool.transactionId) return ok(settled(state));
  const sent = devicesAfter(state);
  return sent.ok ? ok(settled(sent.value)) : sent;
};
