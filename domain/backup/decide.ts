import type { Context, Decision } from '../decision.ts';
import type { Disk, DiskRef, Place } from '../disk.ts';
import { type Failure, failure } from '../failure.ts';
import { reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { type PlanBuilder, planBuilder, throwAway } from '../plan-builder.ts';
import { err, ok, type Result } from '../result.ts';
import { type Vm, volumesOf } from '../vm/vm.ts';
import { findPool, findVm } from '../volume/find.ts';
import { CURRENT, placeOf } from '../volume/swap.ts';
import { currentOf, type Volume } from '../volume/volume.ts';
import { type ArchivedVm, type ArchivedVolume, homeName } from './archive.ts';
import type { BackupVm } from './commands.ts';

/** `20261123T061500-1a2b3c4d`: letters that a backup-header may hold, and never twice. */
const backupId = ({ now, uuid }: Context): string =>
  `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}-${uuid.slice(0, 8)}`;

type Pin = { readonly key: string; readonly made: number; readonly at: Place };

type Picture = { readonly host: Host; readonly builder: PlanBuilder; readonly pins: Pin[] };

type Source = { readonly disk: DiskRef; readonly at: Place };

/**
 * A snapshot of the committed state where that costs nothing, so that the VM may start and stop meanwhile. Files would have
 * to be copied: there the command holds the VM, and the committed file stays as it is because nobody may replace it.
 */
const pinned = ({ host, builder, pins }: Picture, volume: Volume, current: Disk): Result<Source, Failure> => {
  const pool = findPool(host, volume.spec.pool);
  if (!pool.ok) return pool;
  const from = placeOf(volume, CURRENT);
  if (pool.value.driver !== 'lvm_thin') return ok({ disk: { id: current.id }, at: from });
  const at = placeOf(volume, { kind: 'incoming', position: builder.freshPosition() });
  const { key } = volume.spec;
  const made = builder.main(key, { do: 'snapshot', of: { id: current.id }, from, at });
  pins.push({ key, made, at });
  return ok({ disk: { madeBy: made }, at });
};

const volumeIn = (picture: Picture, volume: Volume): Result<ArchivedVolume, Failure> => {
  const { key, name } = volume.spec;
  if (volume.situation.is === 'direct') {
    const next = `domtrail vm stop ${key.slice(0, key.indexOf(':'))}`;
    return err(failure('D_NOT_HALTED', `${key} is being written to without snapshots`, { next }));
  }
  const committed = currentOf(volume);
  if (!committed) return err(failure('D_NOTHING_COMMITTED', `${key} has no committed state to back up`));
  const source = pinned(picture, volume, committed);
  return source.ok ? ok({ volume: key, file: `${name}.img`, ...source.value, committed }) : source;
};

/** It names a file in the backup, and stands in a pattern of tar. */
const HOME_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

const homeIn = (vm: Vm, home: BackupVm['home']): Result<ArchivedVm, Failure> => {
  if (!home)
    return err(
      failure('D_CLASS_REFUSES', `${vm.name} has no volumes here`, { next: 'give its home: --dom0-home DIR' }),
    );
  if (!HOME_NAME.test(homeName(home)))
    return err(failure('D_BAD_INPUT', `${home.path} has a name that no file in a backup can have`));
  return ok({ vm: vm.name, dir: 'dom0-home', running: false, volumes: [], home });
};

const vmIn = (picture: Picture, vm: Vm, home: BackupVm['home']): Result<ArchivedVm, Failure> => {
  if (vm.class === 'AdminVM') return homeIn(vm, home);
  if (vm.class === 'RemoteVM')
    return err(failure('D_CLASS_REFUSES', `${vm.name} has no volumes here that could be backed up`));
  const volumes: ArchivedVolume[] = [];
  for (const volume of volumesOf(vm)) {
    if (!volume.spec.saveOnStop) continue;
    const one = volumeIn(picture, volume);
    if (!one.ok) return one;
    volumes.push(one.value);
  }
  const qid = vm.properties['qid'] ?? '';
  if (!/^[0-9]{1,10}$/.test(qid))
    return err(failure('D_PROPERTY_INVALID', `${vm.name} has no qid that could name its files`));
  return ok({ vm: vm.name, dir: `vm${qid}`, running: vm.power.is === 'running', volumes });
};

const remarksOn = (vms: readonly ArchivedVm[]): readonly string[] =>
  vms.flatMap(({ vm, running, home }) => {
    if (home) return [`${home.path} is backed up as it is while it is read: nothing keeps it still`];
    return running ? [`${vm} is running: it is backed up as it was committed last`] : [];
  });

/** Disks that are read where they lie; whatever is read through a snapshot is free again at once. */
const leases = (vms: readonly ArchivedVm[]) =>
  vms.flatMap(({ vm, volumes }) => {
    const held = volumes.filter(({ at }) => at.role.kind === 'current');
    return held.length === 0 ? [] : [reading(vm), ...held.map(({ volume }) => reading(volume))];
  });

const inOrderOf = (host: Host, { vms }: BackupVm): Result<readonly Vm[], Failure> => {
  const found: Vm[] = [];
  for (const name of new Set(vms)) {
    const vm = findVm(host, name);
    if (!vm.ok) return vm;
    found.push(vm.value);
  }
  // As stock: dom0's home comes last, and it is the only thing that does not stand still.
  return ok([...found].sort((a, b) => Number(a.class === 'AdminVM') - Number(b.class === 'AdminVM')));
};

/**
 * One consistent picture of some VMs in one file: pins first, then one pass over all of them, then the name. A backup that
 * does not come to its end leaves nothing; when it has its name, the pins go.
 */
export const decideBackupVm = (host: Host, payload: BackupVm, context: Context): Decision => {
  const vms = inOrderOf(host, payload);
  if (!vms.ok) return vms;
  const builder = planBuilder(context.position);
  const picture: Picture = { host, builder, pins: [] };
  const archived: ArchivedVm[] = [];
  for (const vm of vms.value) {
    const one = vmIn(picture, vm, payload.home);
    if (!one.ok) return one;
    archived.push(one.value);
  }
  const { to, compression } = payload;
  const backup = backupId(context);
  // About the host: dom0 is what people call it, whatever its VMs.
  builder.main('dom0', { do: 'archive', to, backup, compression, vms: archived }, 'host');
  if (to.kind === 'file') builder.main('dom0', { do: 'deliver', path: to.path, backup }, 'host');
  for (const { key, made, at } of picture.pins)
    throwAway(builder, { object: key, ref: { madeBy: made }, disk: { madeBy: made }, from: at }, 'released');
  return ok({ plan: builder.build(), holds: leases(archived), remarks: remarksOn(archived) });
};
