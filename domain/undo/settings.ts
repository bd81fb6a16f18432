import { changeFirewall } from '../firewall/plan.ts';
import { reading } from '../holds.ts';
import { type Assignment, wordsOfDevice } from '../vm/devices.ts';
import { featureNames, type Vm } from '../vm/vm.ts';
import { relisting } from './relist.ts';
import { hold, refuse, type WayBack } from './way-back.ts';

const namesIn = (...all: readonly object[]): readonly string[] => [...new Set(all.flatMap((one) => Object.keys(one)))];

const properties = ({ builder }: WayBack, now: Vm, past: Vm): void => {
  for (const name of namesIn(now.properties, past.properties)) {
    const [before = null, value = null] = [now.properties[name], past.properties[name]];
    if (before !== value) builder.fact({ type: 'PropertySet', vm: now.name, name, value, before });
  }
};

const features = ({ builder }: WayBack, now: Vm, past: Vm): void => {
  const { out, append } = relisting(featureNames(now), featureNames(past));
  const set = (name: string, value: string | null, before: string | null): void =>
    builder.fact({ type: 'FeatureSet', vm: now.name, name, value, before });
  for (const name of out) set(name, null, now.features[name] ?? null);
  for (const name of featureNames(past)) {
    const before = out.includes(name) ? null : (now.features[name] ?? null);
    const value = past.features[name] ?? null;
    if (append.includes(name) || before !== value) set(name, value, append.includes(name) ? null : before);
  }
};

const tags = ({ builder }: WayBack, now: Vm, past: Vm): void => {
  const { out, append } = relisting(now.tags, past.tags);
  for (const name of out) builder.fact({ type: 'TagSet', vm: now.name, name, present: false });
  for (const name of append) builder.fact({ type: 'TagSet', vm: now.name, name, present: true });
};

const notes = ({ builder }: WayBack, now: Vm, past: Vm): void => {
  if (now.notes !== past.notes) builder.fact({ type: 'NotesSet', vm: now.name, text: past.notes ?? null });
};

const byWords = (list: readonly Assignment[]) => new Map(list.map((one) => [wordsOfDevice(one), one]));

type List = readonly Assignment[];

const devicesOf = (
  { builder }: WayBack,
  vm: Vm['name'],
  deviceClass: string,
  [now, past]: readonly [List, List],
): void => {
  const [has, had] = [byWords(now), byWords(past)];
  const { out, append } = relisting([...has.keys()], [...had.keys()]);
  for (const words of out) {
    const device = has.get(words) as Assignment;
    builder.fact({ type: 'DeviceUnassigned', vm, class: deviceClass, device });
  }
  for (const [words, device] of had) {
    const before = append.includes(words) ? null : (has.get(words) ?? null);
    if (JSON.stringify(before) === JSON.stringify(device)) continue;
    builder.fact({ type: 'DeviceAssigned', vm, class: deviceClass, device, before });
  }
};

const devices = (way: WayBack, now: Vm, past: Vm): void => {
  for (const deviceClass of namesIn(now.devices ?? {}, past.devices ?? {})) {
    devicesOf(way, now.name, deviceClass, [now.devices?.[deviceClass] ?? [], past.devices?.[deviceClass] ?? []]);
  }
};

const firewall = (way: WayBack, now: Vm, past: Vm): void => {
  const before = now.firewall;
  if (JSON.stringify(before?.rules) === JSON.stringify(past.firewall?.rules)) return;
  const after = past.firewall === null ? null : { rules: past.firewall.rules, asOf: way.context.now };
  const change = {
    filing: { before, after, over: 'ours' },
    fact: { type: 'FirewallChanged', vm: now.name, before, after, cause: 'undone' },
  } as const;
  hold(way, ...changeFirewall(way.host, now, change, way));
};

/** Gives a VM the properties, features, tags, devices and firewall rules it had. */
export const settingsBack = (way: WayBack, now: Vm, past: Vm): void => {
  const before = way.builder.size();
  properties(way, now, past);
  features(way, now, past);
  tags(way, now, past);
  notes(way, now, past);
  devices(way, now, past);
  firewall(way, now, past);
  if (way.builder.size() > before) hold(way, reading(now.name));
  if (now.properties['template'] === past.properties['template'] || now.power.is === 'halted') return;
  refuse(way, `the template of ${now.name} cannot change while it runs`, `domtrail vm stop ${now.name}`);
};
