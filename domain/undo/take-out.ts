import type { Host } from '../host/host.ts';
import { type Assignment, wordsOfDevice } from '../vm/devices.ts';
import { featureNames, type Vm } from '../vm/vm.ts';
import type { Volume, VolumeSpec } from '../volume/volume.ts';

/** The states that taking out one operation needs: before it, after it, and the present one. */
export type Three<T> = { readonly before: T; readonly after: T; readonly now: T };

type State = Pick<Host, 'site' | 'pools' | 'vms'>;

/** Something that the operation changed and somebody changed again since: `work`, `property memory`. */
export type Touched = {
  readonly object: string;
  readonly aspect: string;
  /** what it is in a state, as text */
  readonly read: (state: State) => string;
};

/** The present state without what the operation did, where nobody has touched that since. */
export type TakenOut = { readonly state: State; readonly touched: readonly Touched[] };

const textOf = (value: unknown): string => JSON.stringify(value) ?? '';
const same = (a: unknown, b: unknown): boolean => a === b || textOf(a) === textOf(b);

type Merging = { readonly states: Three<State>; readonly touched: Touched[] };

/** What one aspect of an object is to be: as before the operation, where the operation is what made it what it is. */
const merged = <T>(merging: Merging, object: string, aspect: string, read: (state: State) => T): T => {
  const { before, after, now } = merging.states;
  const [was, became, is] = [read(before), read(after), read(now)];
  if (same(was, became) || same(was, is)) return is;
  if (same(became, is)) return was;
  merging.touched.push({ object, aspect, read: (state) => textOf(read(state)) });
  return is;
};

const namesIn = (...all: readonly (readonly string[])[]): readonly string[] => [...new Set(all.flat())];

type Entries = Readonly<Record<string, string>>;

const mergedEntries = (
  merging: Merging,
  { object, aspect }: { readonly object: string; readonly aspect: string },
  read: (state: State) => Entries,
): Entries => {
  const { before, after, now } = merging.states;
  const names = namesIn(...[now, before, after].map((state) => Object.keys(read(state))));
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = merged(merging, object, `${aspect} ${name}`, (state) =>
        Object.hasOwn(read(state), name) ? read(state)[name] : undefined,
      );
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
};

/** Names that are there or not, in the order of the present; those that come back follow. */
const mergedList = <T>(
  merging: Merging,
  { object, aspect }: { readonly object: string; readonly aspect: string },
  read: (state: State) => ReadonlyMap<string, T>,
): readonly T[] => {
  const { before, after, now } = merging.states;
  const names = namesIn(...[now, before, after].map((state) => [...read(state).keys()]));
  return names.flatMap((name) => {
    const one = merged(merging, object, `${aspect} ${name}`, (state) => read(state).get(name));
    return one === undefined ? [] : [one];
  });
};

/** Everything that goes with the disks: two of these cannot be put together from parts. */
const contentOf = ({ spec: { bytes }, situation, revisions, lastNumber, lastAt }: Volume) => ({
  bytes,
  situation,
  revisions: revisions.map(({ pinned: _pinned, ...rest }) => rest),
  lastNumber,
  lastAt,
});

const SETTINGS = ['revisionsToKeep', 'rw', 'ephemeral', 'source', 'pool', 'vid'] as const;

const mergedVolume = (merging: Merging, vm: Vm['name'], name: string): Volume | undefined => {
  const volumeIn = ({ vms }: State): Volume | undefined => {
    const volumes = vms.get(vm)?.volumes ?? {};
    return Object.hasOwn(volumes, name) ? (volumes as Readonly<Record<string, Volume>>)[name] : undefined;
  };
  const { before, after, now } = merging.states;
  const [was, became, is] = [volumeIn(before), volumeIn(after), volumeIn(now)];
  const key = `${vm}:${name}`;
  if (!was || !became || !is) return merged(merging, key, 'volume', volumeIn);
  const content = merged(merging, key, 'content', (state) => {
    const volume = volumeIn(state);
    return volume && contentOf(volume);
  });
  const whole = same(content, contentOf(is)) ? is : was;
  const setting = (field: (typeof SETTINGS)[number]) =>
    merged(merging, key, field, (state) => volumeIn(state)?.spec[field]);
  const spec: VolumeSpec = {
    ...is.spec,
    bytes: whole.spec.bytes,
    ...Object.fromEntries(SETTINGS.map((field) => [field, setting(field)])),
  };
  const pinIn = (state: State, id: string) => volumeIn(state)?.revisions.find((one) => one.id === id)?.pinned;
  const revisions = whole.revisions.map((one) => {
    const known = [before, after, now].every((state) => pinIn(state, one.id) !== undefined);
    if (!known) return one;
    return { ...one, pinned: merged(merging, key, `pin of ${one.id}`, (state) => pinIn(state, one.id)) ?? one.pinned };
  });
  return { ...whole, spec, revisions };
};

const byWords = (list: readonly Assignment[]) => new Map(list.map((one) => [wordsOfDevice(one), one]));

const mergedDevices = (merging: Merging, name: Vm['name']): Vm['devices'] => {
  const devicesIn = ({ vms }: State) => vms.get(name)?.devices ?? {};
  const { before, after, now } = merging.states;
  const classes = namesIn(...[now, before, after].map((state) => Object.keys(devicesIn(state))));
  const all = classes.map((deviceClass) => {
    const at = { object: name, aspect: `${deviceClass} device` };
    return [deviceClass, mergedList(merging, at, (state) => byWords(devicesIn(state)[deviceClass] ?? []))] as const;
  });
  return Object.fromEntries(all.filter(([, list]) => list.length > 0));
};

const mergedVm = (merging: Merging, name: Vm['name'], is: Vm): Vm => {
  const { before, after, now } = merging.states;
  const vmIn = ({ vms }: State): Vm | undefined => vms.get(name);
  const properties = mergedEntries(
    merging,
    { object: name, aspect: 'property' },
    (state) => vmIn(state)?.properties ?? {},
  );
  const features = mergedEntries(merging, { object: name, aspect: 'feature' }, (state) => vmIn(state)?.features ?? {});
  const order = namesIn(featureNames(is), Object.keys(features)).filter((one) => Object.hasOwn(features, one));
  const tags = mergedList(
    merging,
    { object: name, aspect: 'tag' },
    (state) => new Map((vmIn(state)?.tags ?? []).map((tag) => [tag, tag])),
  );
  const rules = merged(merging, name, 'firewall', (state) => vmIn(state)?.firewall?.rules);
  const firewallOf = [now, before].map(vmIn).find((vm) => same(vm?.firewall?.rules, rules))?.firewall ?? null;
  const names = namesIn(...[now, before, after].map((state) => Object.keys(vmIn(state)?.volumes ?? {})));
  const volumes = names.flatMap((one) => {
    const volume = mergedVolume(merging, name, one);
    return volume ? [[one, volume] as const] : [];
  });
  const [was, became] = [vmIn(before), vmIn(after)];
  const devices = mergedDevices(merging, name);
  const { featureOrder: _order, devices: _devices, ...plain } = is;
  return {
    ...plain,
    // Nothing is started or stopped by going back; what was so is told.
    power: was && same(became?.power, is.power) ? was.power : is.power,
    properties,
    features,
    ...(same(order, Object.keys(features)) ? {} : { featureOrder: order }),
    tags,
    ...(devices && Object.keys(devices).length > 0 ? { devices } : {}),
    volumes: Object.fromEntries(volumes),
    firewall: firewallOf,
  };
};

const mergedVms = (merging: Merging): ReadonlyMap<Vm['name'], Vm> => {
  const { before, after, now } = merging.states;
  const vms = new Map(now.vms);
  for (const name of new Set([...before.vms.keys(), ...after.vms.keys()])) {
    if (same(before.vms.get(name), after.vms.get(name))) continue;
    const is = now.vms.get(name);
    const inAll = is && before.vms.has(name) && after.vms.has(name);
    const vm = inAll ? mergedVm(merging, name, is) : merged(merging, name, 'VM', (state) => state.vms.get(name));
    if (vm) vms.set(name, vm);
    else vms.delete(name);
  }
  return vms;
};

const mergedSite = (merging: Merging): Host['site'] => {
  const { now } = merging.states;
  if (!now.site) return null;
  const properties = mergedEntries(
    merging,
    { object: 'global', aspect: 'property' },
    ({ site }) => site?.properties ?? {},
  );
  const labels = mergedList(
    merging,
    { object: 'global', aspect: 'label' },
    ({ site }) => new Map((site?.labels ?? []).map((label) => [label.name, label])),
  );
  return { labels, properties };
};

/**
 * The present state without one operation: each thing that it changed is as it was before, if it still is as the operation
 * left it. What was changed again since stays, and is told as `touched`.
 */
export const takeOut = (states: Three<State>): TakenOut => {
  const merging: Merging = { states, touched: [] };
  const pools = new Map(states.now.pools);
  for (const name of new Set([...states.before.pools.keys(), ...states.after.pools.keys()])) {
    const pool = merged(merging, `pool ${name}`, 'definition', (state) => state.pools.get(name));
    if (pool) pools.set(name, pool);
    else pools.delete(name);
  }
  const state = { site: mergedSite(merging), pools, vms: new Map(mergedVms(merging)) };
  return { state, touched: merging.touched };
};
