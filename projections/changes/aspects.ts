import type { Host } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { wordsOfDevice } from '../../domain/vm/devices.ts';
import { type Vm, volumesOf } from '../../domain/vm/vm.ts';
import { bytesOf, currentOf, type Volume } from '../../domain/volume/volume.ts';

/** What can be told of one object: `memory` -> `400`. Everything that a person set or sees, nothing that only the fold needs. */
type Aspects = ReadonlyMap<string, string>;
/** By object as the log names it: `work`, `work:private`, `pool lvm`, `global`. */
export type Objects = ReadonlyMap<string, Aspects>;

type Pairs = readonly (readonly [string, string])[];

const spelled = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const prefixed = (kind: string, values: Readonly<Record<string, string>>): Pairs =>
  Object.entries(values).map(([name, value]) => [`${kind} ${name}`, value]);

const ofDevices = (vm: Vm): Pairs =>
  Object.entries(vm.devices ?? {}).flatMap(([deviceClass, list]) =>
    list.map((one) => {
      const options = one.options.map(([name, value]) => ` ${name}=${value}`).join('');
      return [`${deviceClass} device ${wordsOfDevice(one)}`, `${one.mode}${options}`] as const;
    }),
  );

const ofVm = (vm: Vm): Aspects =>
  new Map([
    ['class', vm.class],
    ['power', vm.power.is],
    ...prefixed('property', vm.properties),
    ...prefixed('feature', vm.features),
    ...vm.tags.map((tag) => [`tag ${tag}`, 'set'] as const),
    ...ofDevices(vm),
    ...(vm.firewall?.rules ?? []).map((rule, at) => [`firewall rule ${at}`, rule] as const),
  ]);

const ofVolume = (volume: Volume): Aspects => {
  const { key: _key, name: _name, bytes: _bytes, written: _written, ...spec } = volume.spec;
  return new Map<string, string>([
    ...Object.entries(spec).flatMap(([name, value]) => (value === null ? [] : [[name, spelled(value)] as const])),
    ['size', String(bytesOf(volume))],
    ['state', volume.situation.is],
    ['current', currentOf(volume)?.id ?? 'none'],
    ...volume.revisions.map(({ id, pinned }) => [`revision ${id}`, pinned ? 'pinned' : 'kept'] as const),
  ]);
};

const ofPool = (pool: Pool): Aspects =>
  new Map(
    Object.entries(pool)
      .filter(([field]) => field !== 'name')
      .map(([field, value]) => [field, spelled(value)]),
  );

const ofSite = ({ labels, properties }: NonNullable<Host['site']>): Aspects =>
  new Map([...prefixed('property', properties), ...labels.map(({ name, color }) => [`label ${name}`, color] as const)]);

const vmAndVolumes = (vm: Vm): Objects =>
  new Map<string, Aspects>([
    [vm.name, ofVm(vm)],
    ...volumesOf(vm).map((volume) => [volume.spec.key, ofVolume(volume)] as const),
  ]);

/** The objects behind one value of the state, as `evolve` names it: none for what is no object of its own. */
export const objectsAt = (host: Host, entity: string): Objects => {
  const slash = entity.indexOf('/');
  const name = entity.slice(slash + 1);
  switch (slash < 0 ? entity : entity.slice(0, slash)) {
    case 'vm': {
      const vm = host.vms.get(name as Vm['name']);
      return vm ? vmAndVolumes(vm) : new Map();
    }
    case 'pool': {
      const pool = host.pools.get(name as Pool['name']);
      return new Map(pool ? [[`pool ${name}`, ofPool(pool)]] : []);
    }
    case 'site':
      return new Map(host.site ? [['global', ofSite(host.site)]] : []);
    default:
      return new Map();
  }
};
