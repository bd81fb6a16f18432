import type { Disk, DiskId, Place } from '../../domain/disk.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Lying } from '../../domain/invariants/invariant.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { VolumeDriver } from '../drivers/driver.port.ts';
import { lvmModelDriver } from '../drivers/lvm-model/driver.ts';
import { memoryFiles } from '../drivers/lvm-model/files.ts';
import { shortName } from '../drivers/lvm-model/hands.ts';
import { createLvmModel, type LvmModel } from '../drivers/lvm-model/model.ts';
import type { Lv } from '../drivers/lvm-model/state.ts';
import { isVid, lvNameOf, namedInLvm } from '../drivers/lvm-thin/names.ts';

type PoolModel = { readonly group: string; readonly model: LvmModel; readonly driver: VolumeDriver };

/** The pools of a log as LVM models, and which of their LVs stands for which recorded disk. */
export type ModelHost = {
  readonly pools: Map<string, PoolModel>;
  readonly lvs: Map<DiskId, DiskId>;
  readonly disks: Map<DiskId, DiskId>;
  readonly erased: Set<DiskId>;
};

/** So large that a model never is what runs out of room. */
const POOL_BYTES = 2 ** 50;

/** Nobody reads the archive of a model that a log is replayed on; it would hold every step of the log. */
const ARCHIVED = 10;

const emptyModelHost = (): ModelHost => ({
  pools: new Map(),
  lvs: new Map(),
  disks: new Map(),
  erased: new Set(),
});

export const poolModel = (models: ModelHost, name: string): PoolModel => {
  const known = models.pools.get(name);
  if (known) return known;
  const group = `vg${models.pools.size + 1}`;
  const model = createLvmModel({
    volumeGroup: group,
    poolBytes: POOL_BYTES,
    seed: models.pools.size + 1,
    archived: ARCHIVED,
  });
  const made: PoolModel = { group, model, driver: lvmModelDriver({ model, files: memoryFiles(), whenKilled: 'fail' }) };
  models.pools.set(name, made);
  return made;
};

/** A volume's id inside its model: that of LVM pools has the form already, `appvms/work/private` of file pools has not. */
const modelVid = (group: string, vid: string): string => {
  const parts = vid.split('/');
  const lv = parts.length === 2 ? (parts[1] ?? '') : `vm-${parts.slice(-2).join('-')}`;
  const plain = `${group}/${lv}`;
  return isVid(plain) ? plain : `${plain}_`;
};

export const modelPlace = (models: ModelHost, place: Place): Place => ({
  ...place,
  vid: modelVid(poolModel(models, place.pool).group, place.vid),
});

export const lvAt = (models: ModelHost, place: Place): string => {
  const { vid, role } = modelPlace(models, place);
  return shortName(lvNameOf(vid, role));
};

export const standsFor = (models: ModelHost, disk: DiskId, uuid: DiskId): void => {
  models.lvs.set(disk, uuid);
  models.disks.set(uuid, disk);
};

/** The LV that stands for a recorded disk; one that came to the log from outside is made where it lay. */
export const lvFor = (models: ModelHost, { id, bytes }: Disk, place: Place): DiskId => {
  const known = models.lvs.get(id);
  if (known) return known;
  const { model } = poolModel(models, place.pool);
  const name = lvAt(models, place);
  model.create(name, Math.max(1, bytes));
  const uuid = (model.find(name)?.uuid ?? id) as DiskId;
  standsFor(models, id, uuid);
  return uuid;
};

export const modelVolume = (models: ModelHost, volume: Volume): void => {
  for (const { disk, role } of disksOf(volume)) lvFor(models, disk, placeOf(volume, role));
};

/** Models in which every disk of a state lies where the state says. */
export const modelHostOf = (host: Host): ModelHost => {
  const models = emptyModelHost();
  for (const vm of host.vms.values()) for (const volume of volumesOf(vm)) modelVolume(models, volume);
  for (const { disk, place } of host.trash.values()) lvFor(models, disk, place);
  return models;
};

const lying = (models: ModelHost, lv: Lv, slot: Lying['slot']): Lying => ({
  id: models.disks.get(lv.uuid as DiskId) ?? (lv.uuid as DiskId),
  slot,
  origin: lv.originUuid === null ? null : (models.disks.get(lv.originUuid as DiskId) ?? null),
  erased: models.erased.has(lv.uuid as DiskId),
  usable: true,
});

/** What lies under a volume's names in its model. */
export const lyingIn = (models: ModelHost, volume: Volume): readonly Lying[] => {
  const { group, model } = poolModel(models, volume.spec.pool);
  const vid = modelVid(group, volume.spec.vid);
  const found: Lying[] = [];
  for (const lv of model.state().lvs.values()) {
    if (!lv.name.startsWith(vid.slice(group.length + 1))) continue;
    const named = namedInLvm(`${group}/${lv.name}`);
    if (named?.vid === vid) found.push(lying(models, lv, named.as.kind));
  }
  return found;
};

/** The LV of a recorded disk, by whatever name it has now. */
export const lvOfDisk = (models: ModelHost, pool: string, disk: DiskId): Lv | undefined => {
  const uuid = models.lvs.get(disk);
  return uuid === undefined ? undefined : poolModel(models, pool).model.state().lvs.get(uuid);
};
