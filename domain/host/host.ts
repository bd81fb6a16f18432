import type { Operation } from '../command/operation.ts';
import { evolveOperation, isCommandEvent } from '../command/operation.ts';
import type { Disk, DiskId, Place } from '../disk.ts';
import { type Answer, evolveAnswers } from '../drift/answer.ts';
import type { Recorded } from '../event.ts';
import { type FirewallFact, isFirewallFact } from '../firewall/events.ts';
import { evolveFirewall } from '../firewall/firewall.ts';
import type { PoolName, VmName, VolumeKey } from '../names.ts';
import { type Pool, withReserve } from '../pool/pool.ts';
import { evolveVm, isVmFact } from '../vm/evolve.ts';
import type { Vm } from '../vm/vm.ts';
import { evolveVolume, isVolumeFact, volumeOfSpec } from '../volume/evolve.ts';
import type { Volume } from '../volume/volume.ts';
import type { Label, TrashReason } from './events.ts';

type Trash = {
  readonly disk: Disk;
  readonly place: Place;
  readonly from: string;
  readonly why: TrashReason;
  readonly position: number;
  readonly time: number;
};

/** What concerns the machine as a whole; null before `init`. */
type Site = { readonly labels: readonly Label[]; readonly properties: Readonly<Record<string, string>> };

/**
 * The state of everything, as a fold over the log. The maps belong to whoever folds and change in place (a fold of a
 * million events would otherwise copy them a million times); what they hold are immutable values.
 */
export type Host = {
  position: number;
  site: Site | null;
  readonly pools: Map<PoolName, Pool>;
  readonly vms: Map<VmName, Vm>;
  /** unfinished commands only */
  readonly operations: Map<string, Operation>;
  readonly trash: Map<DiskId, Trash>;
  /** differences from the world that somebody has answered, by what `drift` calls them */
  readonly answers: Map<string, Answer>;
};

export const emptyHost = (): Host => ({
  position: 0,
  site: null,
  pools: new Map(),
  vms: new Map(),
  operations: new Map(),
  trash: new Map(),
  answers: new Map(),
});

/** `vm/NAME`, `pool/NAME`, `operation/ID`, `trash/DISK`, `answer/OBJECT` or `site`: one value of the state that an event changed. */
export type EntityKey = string;

/** Raise this when `evolve` changes what it makes of old events: stored values of another version are folded again. */
export const STATE_VERSION = 3;

export const volumeOf = (host: Host, key: VolumeKey): Volume | undefined => {
  const colon = key.lastIndexOf(':');
  const vm = host.vms.get(key.slice(0, colon) as VmName);
  return vm?.volumes[key.slice(colon + 1) as keyof typeof vm.volumes];
};

const update = <K, V>(map: Map<K, V>, key: K, change: (value: V) => V): void => {
  const value = map.get(key);
  if (value === undefined) throw new Error(`the log speaks of ${String(key)}, which it never made`);
  map.set(key, change(value));
};

const evolveVolumeOf = (host: Host, recorded: Recorded, key: VolumeKey): EntityKey => {
  const { event } = recorded;
  const colon = key.lastIndexOf(':');
  const name = key.slice(0, colon) as VmName;
  const volumeName = key.slice(colon + 1);
  update(host.vms, name, (vm) => {
    const volumes: Record<string, Volume> = { ...vm.volumes };
    if (event.type === 'VolumeAdded') volumes[volumeName] = volumeOfSpec(event.spec);
    else if (event.type === 'VolumeRemoved') delete volumes[volumeName];
    else if (isVolumeFact(event)) {
      const before = volumes[volumeName];
      if (!before) throw new Error(`the log speaks of ${key}, which it never made`);
      volumes[volumeName] = evolveVolume(before, event, recorded.position);
    }
    return { ...vm, volumes };
  });
  return `vm/${name}`;
};

const evolveHostFact = (host: Host, { event, position, time }: Recorded): EntityKey => {
  switch (event.type) {
    case 'HostInitialised':
      host.site = { labels: event.labels, properties: event.properties };
      return 'site';
    case 'HostAdopted':
      host.site = { labels: event.labels, properties: event.properties };
      return 'site';
    case 'LabelCreated':
    case 'LabelRemoved': {
      const { labels, properties } = host.site ?? { labels: [], properties: {} };
      const others = labels.filter(({ index }) => index !== event.label.index);
      host.site = { labels: event.type === 'LabelCreated' ? [...others, event.label] : others, properties };
      return 'site';
    }
    case 'GlobalPropertySet': {
      const { [event.name]: _old, ...rest } = host.site?.properties ?? {};
      const properties = event.value === null ? rest : { ...rest, [event.name]: event.value };
      host.site = { labels: host.site?.labels ?? [], properties };
      return 'site';
    }
    case 'PoolAdded':
      host.pools.set(event.pool as PoolName, event.definition);
      return `pool/${event.pool}`;
    case 'PoolMoved': {
      const pool = host.pools.get(event.pool as PoolName);
      if (pool && pool.driver !== 'lvm_thin') host.pools.set(pool.name, { ...pool, dir: event.to });
      return `pool/${event.pool}`;
    }
    case 'PoolReserveSet': {
      const pool = host.pools.get(event.pool as PoolName);
      if (pool && pool.driver !== 'linux-kernel') host.pools.set(pool.name, withReserve(pool, event.reserve));
      return `pool/${event.pool}`;
    }
    // What a crash did to a pool, and what others did in it, is history, not state.
    case 'LvmTestified':
    case 'PoolWounded':
    case 'PoolMended':
      return `pool/${event.pool}`;
    case 'PoolRemoved':
      host.pools.delete(event.pool as PoolName);
      return `pool/${event.pool}`;
    case 'DiskTrashed': {
      const { disk, place, from, why } = event;
      host.trash.set(disk.id, { disk, place, from, why, position, time });
      return `trash/${disk.id}`;
    }
    case 'TrashReidentified':
    case 'DiskReturned':
    case 'DiskErased':
      host.trash.delete(event.disk);
      return `trash/${event.disk}`;
    case 'DriftIgnored':
    case 'DocumentOverruled':
    case 'DriftRepaired':
    case 'DriftNoticed':
      evolveAnswers(host.answers, event, position);
      return `answer/${event.object}`;
    default:
      return 'site';
  }
};

const evolveFirewallOf = (host: Host, fact: FirewallFact): EntityKey => {
  update(host.vms, fact.vm, (vm) => evolveFirewall(vm, fact));
  return `vm/${fact.vm}`;
};

const evolveVms = (host: Host, { event }: Recorded): EntityKey | null => {
  if (!isVmFact(event)) return null;
  if (event.type === 'VmRemoved') host.vms.delete(event.vm);
  else host.vms.set(event.vm, evolveVm(host.vms.get(event.vm), event));
  return `vm/${event.vm}`;
};

/** Folds one event in and says which value of the state it changed. Throws on an event the log cannot hold: a bug or a forgery. */
export const evolve = (host: Host, recorded: Recorded): EntityKey => {
  host.position = recorded.position;
  const { event } = recorded;
  if (isCommandEvent(event)) {
    const operation = evolveOperation(host.operations.get(recorded.command), recorded);
    if (operation) host.operations.set(recorded.command, operation);
    else host.operations.delete(recorded.command);
    return `operation/${recorded.command}`;
  }
  if (isVolumeFact(event)) return evolveVolumeOf(host, recorded, event.volume);
  if (isFirewallFact(event)) return evolveFirewallOf(host, event);
  return evolveVms(host, recorded) ?? evolveHostFact(host, recorded);
};

/** The value behind an entity key, or undefined when there is none any more. */
export const entityOf = (host: Host, key: EntityKey): unknown => {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  switch (slash < 0 ? key : key.slice(0, slash)) {
    case 'vm':
      return host.vms.get(name as VmName);
    case 'pool':
      return host.pools.get(name as PoolName);
    case 'operation':
      return host.operations.get(name);
    case 'trash':
      return host.trash.get(name as DiskId);
    case 'answer':
      return host.answers.get(name);
    default:
      return host.site ?? undefined;
  }
};

/** The keys under which a state's values are kept: what `restoreEntity` needs for the whole of it. */
export const entityKeysOf = (host: Host): readonly EntityKey[] => [
  ...(host.site ? ['site'] : []),
  ...[...host.vms.keys()].map((name) => `vm/${name}`),
  ...[...host.pools.keys()].map((name) => `pool/${name}`),
  ...[...host.operations.keys()].map((id) => `operation/${id}`),
  ...[...host.trash.keys()].map((id) => `trash/${id}`),
  ...[...host.answers.keys()].map((object) => `answer/${object}`),
];

/** Puts a value that `entityOf` once gave back into a state: how a stored snapshot is loaded. */
export const restoreEntity = (host: Host, key: EntityKey, value: unknown): void => {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  switch (slash < 0 ? key : key.slice(0, slash)) {
    case 'vm':
      host.vms.set(name as VmName, value as Vm);
      break;
    case 'pool':
      host.pools.set(name as PoolName, value as Pool);
      break;
    case 'operation':
      host.operations.set(name, value as Operation);
      break;
    case 'trash':
      host.trash.set(name as DiskId, value as Trash);
      break;
    case 'answer':
      host.answers.set(name, value as Answer);
      break;
    default:
      host.site = value as Site;
  }
};
