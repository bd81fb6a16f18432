import type { AdoptMoved, AdoptStorage } from '../../domain/adoption/commands.ts';
import type { SeenDisk, SeenPool } from '../../domain/adoption/seen.ts';
import type { Command } from '../../domain/decide.ts';
import type { DiskId } from '../../domain/disk.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { VmName } from '../../domain/names.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { ok, type Result } from '../../domain/result.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Sighting, VolumeDriver } from '../drivers/driver.port.ts';
import type { Pools } from '../runner/pools.ts';

/** The volumes whose disks must not be open while a command takes them away. */
const watched = (host: Host, command: Command): readonly Volume[] => {
  switch (command.name) {
    case 'StopVM':
    case 'KillVM':
      return Object.values(host.vms.get(command.payload.name)?.volumes ?? {});
    case 'CommitVolume': {
      const volume = host.vms.get(command.payload.vm as VmName)?.volumes[command.payload.volume];
      return volume ? [volume] : [];
    }
    default:
      return [];
  }
};

/** Ids of the disks of a command's volumes that some process has open now: part of the decision's context. */
export const openDisks = async (
  host: Host,
  command: Command,
  pools: Pools,
): Promise<Result<readonly string[], Failure>> => {
  const open: string[] = [];
  const byPool = new Map<string, Volume[]>();
  for (const volume of watched(host, command)) {
    if (disksOf(volume).length > 0) byPool.set(volume.spec.pool, [...(byPool.get(volume.spec.pool) ?? []), volume]);
  }
  for (const [name, volumes] of byPool) {
    const pool = pools.get(name);
    if (!pool.ok) return pool;
    const look = await pool.value.looks.now();
    if (!look.ok) return look;
    const ids = new Set(volumes.flatMap(disksOf).map(({ disk }) => disk.id));
    for (const id of ids) if (look.value.byId.get(id)?.open) open.push(id);
  }
  return ok(open);
};

/** Every disk that the log speaks of: of its volumes, and in the trash. */
const knownIds = (host: Host): ReadonlySet<DiskId> =>
  new Set([
    ...[...host.vms.values()]
      .flatMap(volumesOf)
      .flatMap(disksOf)
      .map(({ disk }) => disk.id),
    ...host.trash.keys(),
  ]);

/** A sighting as a decision gets to see it. */
export const seenDisk = (driver: VolumeDriver, sighting: Sighting): SeenDisk => {
  const { id, name, bytes, usedBytes, origin, active, open, usable, writtenAt } = sighting;
  const named = driver.parseName(name);
  const seen: SeenDisk = { id, name, named, bytes, usedBytes, origin, active, open, usable };
  return writtenAt === undefined ? seen : { ...seen, writtenAt };
};

const surveyOf = async (
  { name }: Pool,
  driver: VolumeDriver,
  wanted: (sighting: Sighting) => boolean,
): Promise<Result<SeenPool, Failure>> => {
  const survey = await (driver.firstSurvey ?? driver.survey)();
  if (!survey.ok) return survey;
  return ok({ pool: name, disks: survey.value.filter(wanted).map((one) => seenDisk(driver, one)) });
};

/** What lies in the pools that the log does not know: all that a decision about an adoption gets to see. */
export const unknownDisks = async (
  host: Host,
  { pool }: Pick<AdoptStorage, 'pool'>,
  pools: Pools,
): Promise<Result<readonly SeenPool[], Failure>> => {
  const known = knownIds(host);
  const seen: SeenPool[] = [];
  for (const { name, driver } of host.pools.values()) {
    if (driver === 'linux-kernel' || (pool !== null && pool !== name)) continue;
    const hands = pools.get(name);
    if (!hands.ok) return hands;
    const one = await surveyOf(hands.value.pool, hands.value.driver, ({ id }) => !known.has(id));
    if (!one.ok) return one;
    seen.push(one.value);
  }
  return ok(seen);
};

/** Everything that lies in the file pools of a moved home, looked at where they are now. */
export const movedDisks = async (
  host: Host,
  { pool, dirs }: AdoptMoved,
  driverFor: (pool: Pool) => VolumeDriver,
): Promise<Result<readonly SeenPool[], Failure>> => {
  const seen: SeenPool[] = [];
  for (const one of host.pools.values()) {
    if (one.driver !== 'file-reflink' || (pool !== null && pool !== one.name)) continue;
    const dir = dirs.find((moved) => moved.pool === one.name)?.dir ?? one.dir;
    const disks = await surveyOf(one, driverFor({ ...one, dir }), () => true);
    if (!disks.ok) return disks;
    seen.push(disks.value);
  }
  return ok(seen);
};
