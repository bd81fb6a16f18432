import type { DomainEvent } from '../event.ts';
import { volumeOfSpec } from '../volume/evolve.ts';
import { withDevice, withoutDevice } from './devices.ts';
import type { VmFact } from './events.ts';
import { featureNames, type Vm } from './vm.ts';

const VM_FACTS = new Set([
  'VmCreated',
  'VmRestored',
  'VmBackedUp',
  'VmRemoved',
  'VmStarted',
  'VmStopped',
  'PropertySet',
  'FeatureSet',
  'NotesSet',
  'TagSet',
  'DeviceAssigned',
  'DeviceUnassigned',
]);

export const isVmFact = (event: DomainEvent): event is VmFact => VM_FACTS.has(event.type);

const withEntry = (
  entries: Readonly<Record<string, string>>,
  name: string,
  value: string | null,
): Readonly<Record<string, string>> => {
  // Not by assignment: a feature may be called __proto__.
  if (value !== null) return { ...entries, [name]: value };
  const { [name]: _gone, ...rest } = entries;
  return rest;
};

const sameOrder = (a: readonly string[], b: readonly string[]): boolean => a.every((name, at) => name === b[at]);

/** The features, with their order where the object does not keep it. */
const inOrder = (features: Vm['features'], order: readonly string[]): Pick<Vm, 'features' | 'featureOrder'> =>
  sameOrder(order, Object.keys(features)) ? { features } : { features, featureOrder: order };

const withFeature = (vm: Vm, name: string, value: string | null): Pick<Vm, 'features' | 'featureOrder'> => {
  const names = featureNames(vm);
  const left = value === null ? names.filter((one) => one !== name) : names;
  return inOrder(withEntry(vm.features, name, value), value === null || left.includes(name) ? left : [...left, name]);
};

type Change = Partial<Pick<Vm, 'power' | 'properties' | 'tags' | 'devices'>> & {
  readonly listed?: Pick<Vm, 'features' | 'featureOrder'>;
  /** null: none any more */
  readonly notes?: string | null;
};

const optional = (vm: Pick<Vm, 'featureOrder' | 'devices'>): Pick<Vm, 'featureOrder' | 'devices'> => ({
  ...(vm.featureOrder ? { featureOrder: vm.featureOrder } : {}),
  ...(vm.devices ? { devices: vm.devices } : {}),
});

/** Field by field, because `{ ...vm, tags }` makes a fold over a long log half as fast again (bench/README.md). */
const plain = (vm: Vm, { power, properties, listed, tags }: Change): Vm => ({
  name: vm.name,
  class: vm.class,
  power: power ?? vm.power,
  properties: properties ?? vm.properties,
  features: (listed ?? vm).features,
  tags: tags ?? vm.tags,
  volumes: vm.volumes,
  firewall: vm.firewall,
  published: vm.published,
});

const changed = (vm: Vm, change: Change): Vm => {
  const next = plain(vm, change);
  const { featureOrder } = change.listed ?? vm;
  const devices = change.devices ?? vm.devices;
  const notes = change.notes === undefined ? vm.notes : change.notes;
  return featureOrder || devices || notes
    ? {
        ...next,
        ...(featureOrder ? { featureOrder } : {}),
        ...(devices ? { devices } : {}),
        ...(notes ? { notes } : {}),
      }
    : next;
};

const created = (fact: Extract<VmFact, { type: 'VmCreated' }>): Vm => ({
  name: fact.vm,
  class: fact.class,
  power: { is: 'halted' },
  properties: fact.properties,
  features: fact.features,
  tags: fact.tags,
  ...optional(fact),
  volumes: Object.fromEntries(fact.volumes.map((spec) => [spec.name, volumeOfSpec(spec)])),
  firewall: null,
  published: null,
});

/** The VM after a fact. Throws on a fact about a VM that the log never made. */
export const evolveVm = (vm: Vm | undefined, fact: Exclude<VmFact, { type: 'VmRemoved' }>): Vm => {
  if (fact.type === 'VmCreated') return created(fact);
  if (!vm) throw new Error(`${fact.type} speaks of VM ${fact.vm}, which the log never made`);
  switch (fact.type) {
    case 'VmRestored':
    case 'VmBackedUp':
      return vm;
    case 'VmStarted':
      return changed(vm, { power: { is: 'running', bootId: fact.bootId } });
    case 'VmStopped':
      return changed(vm, { power: { is: 'halted' } });
    case 'PropertySet':
      return changed(vm, { properties: withEntry(vm.properties, fact.name, fact.value) });
    case 'FeatureSet':
      return changed(vm, { listed: withFeature(vm, fact.name, fact.value) });
    case 'NotesSet':
      return changed(vm, { notes: fact.text });
    case 'TagSet': {
      const others = vm.tags.filter((tag) => tag !== fact.name);
      return changed(vm, { tags: fact.present ? [...others, fact.name] : others });
    }
    case 'DeviceAssigned':
      return changed(vm, { devices: withDevice(vm.devices ?? {}, fact.class, fact.device) });
    case 'DeviceUnassigned':
      return changed(vm, { devices: withoutDevice(vm.devices ?? {}, fact.class, fact.device) });
  }
};
