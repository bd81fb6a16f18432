import type { DiskId } from '../../domain/disk.ts';
import type { DriftVolumeFact } from '../../domain/drift/adopted.ts';
import { type Host, volumeOf } from '../../domain/host/host.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import { lvAt, lvOfDisk, type ModelHost, modelVolume, poolModel } from './model-host.ts';

/** What happened outside the steps of the log: the disk comes to its name, and what had that name is called otherwise. */
export const bring = (models: ModelHost, pool: string, disk: DiskId, name: string): void => {
  const { model } = poolModel(models, pool);
  const there = model.find(name);
  const lv = lvOfDisk(models, pool, disk);
  if (there && there.uuid !== lv?.uuid) model.rename(name, `astray-${model.changes()}`);
  if (lv && lv.name !== name) model.rename(lv.name, name);
};

/** Lets the models follow what somebody took over into the log: disks lost, exchanged or of another size. */
export const followDrift = (models: ModelHost, host: Host, event: DriftVolumeFact): void => {
  const volume = volumeOf(host, event.volume);
  if (!volume) return;
  const { pool } = volume.spec;
  if (event.type === 'DiskLost') {
    const lv = lvOfDisk(models, pool, event.disk);
    if (lv) poolModel(models, pool).model.remove(lv.name);
    return;
  }
  const places = new Map(disksOf(volume).map(({ disk, role }) => [disk.id, lvAt(models, placeOf(volume, role))]));
  for (const { disk } of event.disks) {
    const name = places.get(disk.id);
    if (name === undefined) continue;
    bring(models, pool, disk.id, name);
    poolModel(models, pool).model.resize(name, disk.bytes, { shrink: true });
  }
  modelVolume(models, volume);
};
