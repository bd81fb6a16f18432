import type { PoolName } from '../../../domain/names.ts';
import { lvmModelDriver } from '../../../infrastructure/drivers/lvm-model/driver.ts';
import { memoryFiles } from '../../../infrastructure/drivers/lvm-model/files.ts';
import type { ModelDriverOptions } from '../../../infrastructure/drivers/lvm-model/hands.ts';
import { createLvmModel, type LvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import type { DriverBench, Holder } from '../bench.ts';

export type ModelBench = DriverBench & Required<Omit<ModelDriverOptions, 'slowBytes'>>;

/** The LV whose device has that path. */
export const lvAt = (model: LvmModel, path: string): string => {
  const { lvs, volumeGroup } = model.state();
  const prefix = `/dev/mapper/${volumeGroup.replaceAll('-', '--')}-`;
  const found = [...lvs.values()].find(({ name }) => path === `${prefix}${name.replaceAll('-', '--')}`);
  if (!found) throw new Error(`${path} is no device of the model`);
  return found.name;
};

const short = (name: string): string => name.slice(name.indexOf('/') + 1);

export const must = (outcome: { readonly ok: boolean }): void => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
};

/** What another program does to the same volume group. */
export const foreignHands = (model: LvmModel, driver: DriverBench['driver']) => ({
  foreignCreate: async (place: Parameters<typeof driver.nameOf>[0], bytes: number) =>
    must(model.create(short(driver.nameOf(place)), bytes)),
  foreignRemove: async (name: string) => must(model.remove(short(name))),
  foreignRename: async (from: string, to: string) => must(model.rename(short(from), short(to))),
  holdOpen: async (path: string): Promise<Holder> => {
    const device = model.open(lvAt(model, path));
    return {
      readAt: async (offset, length) => device.readAt(offset, length),
      release: async () => device.close(),
    };
  },
});

export const vidFor = (vm: string, volume: string): string => `qubes_dom0/vm-${vm}-${volume}`;
export const POOL = 'lvm' as PoolName;

/** A driver on a model of its own; paths are those of devices, or names of files in memory. */
export const modelBench = (given: Partial<ModelDriverOptions> = {}): ModelBench => {
  const model = given.model ?? createLvmModel();
  const files = given.files ?? memoryFiles();
  const options = { model, files, models: given.models ?? [model], whenKilled: given.whenKilled ?? 'throw' };
  const driver = lvmModelDriver(options);
  let names = 0;
  return {
    ...options,
    driver,
    pool: POOL,
    vidFor,
    writeAt: async (path, offset, text) => must(model.writeAt(lvAt(model, path), offset, text)),
    readAt: async (path, offset, length) =>
      path.startsWith('/dev/') ? model.readAt(lvAt(model, path), offset, length) : files.readAt(path, offset, length),
    sourceFile: async (bytes, pieces) => {
      const path = `source-${++names}`;
      return { kind: 'file', path, bytes, stamp: files.put(path, bytes, pieces).stamp };
    },
    targetPath: () => `target-${++names}`,
    ...foreignHands(model, driver),
    cleanup: async () => undefined,
  };
};
