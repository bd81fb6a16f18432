import type { VmName } from '../names.ts';
import { ok } from '../result.ts';
import { KEEPERS, keeperOf, tagsWithKeeper } from '../vm/keepers.ts';
import { connectedTo, netvmOf } from '../vm/network.ts';
import { featureNames, type Vm } from '../vm/vm.ts';
import { change, type Draft, type Loaded, type Loading, quoted, refuse, setProperty, vmOf } from './draft.ts';
import { isTag } from './extras.ts';

const breakLoop = (loading: Loading, draft: Draft): void => {
  const { host } = loading;
  const netvm = netvmOf(host, vmOf(loading, draft));
  if (netvm === null) return;
  if (netvm !== draft.name && !connectedTo(host, draft.name).has(netvm)) return;
  const why = 'its networks form a loop, which stock breaks here';
  loading.lost.push({ object: draft.name, what: 'property netvm', text: netvm, why });
  setProperty(loading, draft, 'netvm', '');
};

const tagKeepers = (loading: Loading, draft: Draft): Loaded => {
  for (const keeper of KEEPERS) {
    const vm = vmOf(loading, draft);
    const name = keeperOf(loading.host, vm, keeper);
    const tag = `${keeper.property}-${name}`;
    if (name === null || vm.tags.includes(tag)) continue;
    if (!isTag(tag)) return refuse(`VM ${quoted(draft.name)}`, `${quoted(tag)} is no tag`);
    change(loading, draft, { tags: tagsWithKeeper(vm.tags, keeper.property, name) });
  }
  return ok(null);
};

const withFeatures = (loading: Loading, draft: Draft, names: readonly string[], texts: Vm['features']): void => {
  const features = Object.fromEntries(names.map((name) => [name, texts[name] ?? '']));
  const { featureOrder: _order, ...vm } = vmOf(loading, draft);
  const kept = Object.keys(features).every((name, at) => name === names[at]);
  loading.host.vms.set(draft.name, { ...vm, features, ...(kept ? {} : { featureOrder: names }) });
};

const MEMINFO = 'service.meminfo-writer';

/** Qubes 3 switched memory balancing by a service; now it is maxmem. */
const migrateMeminfo = (loading: Loading, draft: Draft): Loaded => {
  const vm = vmOf(loading, draft);
  const text = Object.hasOwn(vm.features, MEMINFO) ? vm.features[MEMINFO] : undefined;
  if (text === undefined) return ok(null);
  if (text === '' && vm.class === 'AdminVM') return refuse('VM dom0', `${MEMINFO} cannot become maxmem there`);
  if (text === '' && vm.class !== 'RemoteVM') {
    // Asking for the old maxmem makes stock look at the PCI devices.
    if (vm.properties['maxmem'] === undefined) change(loading, draft, { devices: { pci: [], ...vm.devices } });
    setProperty(loading, draft, 'maxmem', '0');
  }
  withFeatures(
    loading,
    draft,
    featureNames(vm).filter((name) => name !== MEMINFO),
    vm.features,
  );
  return ok(null);
};

const PRELOADED = 'preload-dispvm';

/** Disposables that were kept ready and are gone leave the list. */
const forgetPreloaded = (loading: Loading, draft: Draft): void => {
  const vm = vmOf(loading, draft);
  const list = vm.features[PRELOADED];
  if (vm.properties['template_for_dispvms'] !== 'True' || !list) return;
  const left = list.split(' ').filter((name) => loading.host.vms.has(name as VmName));
  change(loading, draft, { features: { ...vm.features, [PRELOADED]: left.join(' ') } });
};

/** A random UUID for VMs without: the command's own, counted on, so that deciding again gives the same ones. */
const numbered = (uuid: string, count: number): string => {
  const last = (Number.parseInt(uuid.slice(-8), 16) + count) % 2 ** 32;
  return `${uuid.slice(0, -8)}${last.toString(16).padStart(8, '0')}`;
};

const giveUuids = (loading: Loading, drafts: readonly Draft[]): void => {
  let count = 0;
  for (const draft of drafts) {
    const vm = vmOf(loading, draft);
    if (vm.class === 'AdminVM' || vm.properties['uuid'] !== undefined) continue;
    setProperty(loading, draft, 'uuid', numbered(loading.uuid, count++));
  }
};

/** Stage 5b, VM by VM: what stock mends when everything is loaded. */
export const mend = (loading: Loading, drafts: readonly Draft[]): Loaded => {
  giveUuids(loading, drafts);
  for (const draft of drafts) {
    breakLoop(loading, draft);
    for (const fix of [tagKeepers, migrateMeminfo]) {
      const fixed = fix(loading, draft);
      if (!fixed.ok) return fixed;
    }
    forgetPreloaded(loading, draft);
  }
  return ok(null);
};
