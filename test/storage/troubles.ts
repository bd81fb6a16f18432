import { createLvmModel, type LvmModel } from '../../infrastructure/drivers/lvm-model/model.ts';
import { must } from '../drivers/lvm-model/model-bench.ts';
import { type Hands, modelHands } from './hands.ts';

/** What befalls the disk and the pool under a host, and how it is put right. */
type Troubles = {
  /** Somebody else's volume takes all of the pool's data space. */
  readonly fill: () => Promise<void>;
  /** That volume is gone. */
  readonly drain: () => Promise<void>;
  /** An error while the kernel writes the pool's metadata, on a disk that is well again afterwards. */
  readonly spoilMetadata: () => Promise<void>;
  /** The whole pool fails: its disk was away while the kernel wrote to it. */
  readonly failPool: () => Promise<void>;
  /** What docs/failure-modes.md says to do about a pool that takes no writes. */
  readonly repair: () => Promise<void>;
  /** Where the disk holds the pool's data it answers with errors, or no longer. */
  readonly breakData: (broken: boolean) => Promise<void>;
  /** The disk is away, or back. */
  readonly unplug: (away: boolean) => Promise<void>;
};

export type TroubledHands = Hands & Troubles;

const MIB = 2 ** 20;
const POOL_BYTES = 64 * MIB;
export const FILLER = 'filler';

const fillModel = (model: LvmModel): void => {
  must(model.create(FILLER, POOL_BYTES));
  const text = 'x'.repeat(MIB);
  for (let at = 0; at < POOL_BYTES && model.writeAt(FILLER, at, text).ok; at += MIB);
  for (let at = 0; at < POOL_BYTES; at += 64 * 1024) model.writeAt(FILLER, at, 'x');
};

export const troubledModel = (): TroubledHands & { readonly model: LvmModel } => {
  const model = createLvmModel({ poolBytes: POOL_BYTES });
  return {
    ...modelHands(model),
    model,
    fill: async () => fillModel(model),
    drain: async () => must(model.remove(FILLER)),
    spoilMetadata: async () => model.setMode('read-only'),
    failPool: async () => model.setMode('failed'),
    repair: async () => model.setMode('rw'),
    breakData: async (broken) => model.setBroken(broken),
    unplug: async (away) => model.setVisible(!away),
  };
};
