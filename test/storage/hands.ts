import { runOnModel } from '../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { createLvmModel, type LvmModel } from '../../infrastructure/drivers/lvm-model/model.ts';
import type { Flush } from '../../infrastructure/drivers/lvm-thin/flush.ts';
import type { Run } from '../../infrastructure/drivers/lvm-thin/work.ts';
import { lvAt, must } from '../drivers/lvm-model/model-bench.ts';

/**
 * A machine with the empty thin pool qubes_dom0/vm-pool: the model of one, or the lab's. `run` answers lvm, dmsetup, dd
 * and blkdiscard; paths are those of devices.
 */
export type Hands = {
  readonly run: Run;
  readonly flush: Flush;
  /** durable when it returns, as after a VM's flush */
  readonly writeAt: (path: string, offset: number, text: string) => Promise<void>;
  readonly readAt: (path: string, offset: number, length: number) => Promise<string>;
  /** Another process opens the device, as a running VM does; gives the way to close it. */
  readonly holdOpen: (path: string) => Promise<() => Promise<void>>;
  /** What LVM does when the host has died and comes up again: every LV gets its device back. */
  readonly reboot: () => Promise<void>;
  readonly cleanup: () => Promise<void>;
};

export const modelHands = (model: LvmModel = createLvmModel()): Hands => ({
  run: runOnModel(model),
  flush: async () => null,
  writeAt: async (path, offset, text) => must(model.writeAt(lvAt(model, path), offset, text)),
  readAt: async (path, offset, length) => model.readAt(lvAt(model, path), offset, length),
  holdOpen: async (path) => {
    const device = model.open(lvAt(model, path));
    return async () => device.close();
  },
  reboot: async () => model.reboot(),
  cleanup: async () => undefined,
});
