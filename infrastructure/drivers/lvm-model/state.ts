import type { Chunks } from './content.ts';
import { lvmUuid } from './uuid.ts';

export const EXTENT = 4 * 2 ** 20;

/** A thin volume as LVM's metadata describes it, with what the kernel knows of its device. */
export type Lv = {
  readonly uuid: string;
  readonly name: string;
  readonly extents: number;
  /** number of the device inside the pool; used again after a removal, unlike the UUID */
  readonly thinId: number;
  /** the pool's transaction id from just before the LV was made */
  readonly transactionId: number;
  readonly tags: readonly string[];
  /** by reference: still set when that LV is gone, and then shown to nobody */
  readonly originUuid: string | null;
  readonly active: boolean;
  /** the activation skip flag */
  readonly skip: boolean;
  /** how many have the device open */
  readonly open: number;
  /** epoch seconds */
  readonly time: number;
};

/** What LVM's metadata says the kernel still has to be told. */
export type Message = { readonly create: number; readonly origin: number | null } | { readonly delete: number };

/**
 * What the kernel lets happen in the pool. `read-only`: an error while it wrote metadata; stays until somebody has the
 * metadata checked. `failed`: it ran out of metadata. Neither takes writes or messages (spec: testbed §3).
 */
export type PoolMode = 'rw' | 'read-only' | 'failed';

/** One file of LVM's archive: the state before a command. */
type ArchiveEntry = { readonly seqno: number; readonly description: string; readonly time: number };

/**
 * A volume group with one thin pool: plain immutable data. `pool` is LVM's side of it, `kernel` the other; they agree on
 * the transaction id unless a message waits.
 */
export type State = {
  readonly seed: number;
  readonly volumeGroup: string;
  readonly seqno: number;
  /** false: the disk is away, and LVM says that there is no such volume group */
  readonly visible: boolean;
  /** writes of data end in an error of the disk below */
  readonly broken: boolean;
  /** the newest description on the disk is half written: LVM says the same as when the disk is away, and complains */
  readonly torn: boolean;
  readonly pool: {
    readonly name: string;
    readonly uuid: string;
    readonly extents: number;
    readonly transactionId: number;
    readonly messages: readonly Message[];
    readonly active: boolean;
    readonly time: number;
  };
  readonly kernel: {
    readonly transactionId: number;
    readonly devices: ReadonlyMap<number, Chunks>;
    readonly mode: PoolMode;
    /** blocks of metadata in use beyond what the devices account for: a pool that has lived a while */
    readonly fragments: number;
    /** what is allocated, as it was when somebody took the snapshot of the metadata; null: nobody holds it */
    readonly held: ReadonlyMap<number, Chunks> | null;
  };
  /** by UUID */
  readonly lvs: ReadonlyMap<string, Lv>;
  readonly archive: readonly ArchiveEntry[];
  /** so many files of it are kept, the newest */
  readonly archived: number;
  /** UUIDs and block numbers given out so far; neither is ever used twice */
  readonly uuids: number;
  readonly blocks: number;
  /** epoch seconds of the next change */
  readonly clock: number;
};

export type ModelOptions = {
  readonly volumeGroup?: string;
  readonly thinPool?: string;
  readonly poolBytes?: number;
  readonly seed?: number;
  /** how many files the archive keeps; all when left out */
  readonly archived?: number;
};

const POOL_BYTES = 500 * 2 ** 20;
const START = 1_700_000_000;

/** An empty pool. Two models that must not be confused need different seeds. */
export const emptyState = ({ volumeGroup, thinPool, poolBytes, seed, archived }: ModelOptions = {}): State => ({
  seed: seed ?? 1,
  volumeGroup: volumeGroup ?? 'qubes_dom0',
  seqno: 4,
  visible: true,
  broken: false,
  torn: false,
  pool: {
    name: thinPool ?? 'vm-pool',
    uuid: lvmUuid(seed ?? 1, 0),
    extents: Math.ceil((poolBytes ?? POOL_BYTES) / EXTENT),
    transactionId: 0,
    messages: [],
    active: true,
    time: START,
  },
  kernel: { transactionId: 0, devices: new Map(), mode: 'rw', fragments: 0, held: null },
  lvs: new Map(),
  archive: [],
  archived: archived ?? Number.POSITIVE_INFINITY,
  uuids: 1,
  blocks: 0,
  clock: START,
});

export const lvNamed = ({ lvs }: State, name: string): Lv | undefined => {
  for (const lv of lvs.values()) {
    if (lv.name === name) return lv;
  }
  return undefined;
};

/** The LV this one was made from, as long as LVM still knows it. */
export const originOf = ({ lvs }: State, { originUuid }: Lv): Lv | undefined =>
  originUuid === null ? undefined : lvs.get(originUuid);

/** Why a change was refused. Nothing has changed then, except after `killed`. */
export type Refusal =
  | { readonly is: 'exists' | 'missing' | 'in-use' | 'not-reduced'; readonly name: string }
  | { readonly is: 'same-size'; readonly extents: number }
  /** the pool has no free chunk left */
  | { readonly is: 'full' }
  /** so little metadata is left that LVM makes nothing more */
  | { readonly is: 'metadata-low'; readonly percent: number }
  /** the pool takes no writes and no messages */
  | { readonly is: 'read-only' | 'failed' }
  /** the LV is no longer listed, and the kernel could not be told */
  | { readonly is: 'unsent' }
  /** the disk below answers a write or read with an error */
  | { readonly is: 'io-error' }
  /** the kernel has no such thin device: a phantom */
  | { readonly is: 'no-device'; readonly name: string }
  /** the kernel has the device already that a waiting message asks for */
  | { readonly is: 'wedged'; readonly thinId: number }
  /** LVM and the kernel count transactions that no waiting message explains; `to`: what was to be done there */
  | { readonly is: 'stray'; readonly to: 'make' | 'activate' | 'send' }
  | { readonly is: 'unseen' }
  | { readonly is: 'killed' };
