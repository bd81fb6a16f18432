import type { VmName } from '../names.ts';
import { ok } from '../result.ts';
import { ASSIGNMENT_MODES, type Assignment, type AssignmentMode, DEVICE_CLASSES, type Devices } from '../vm/devices.ts';
import { parseBool } from '../vm/property-values.ts';
import type { DocumentDomain } from './commands.ts';
import { change, type Draft, type Loaded, type Loading, quoted, refuse, vmOf } from './draft.ts';

const TAG = /^[A-Za-z0-9_-]*$/;

export const isTag = (text: string): boolean => TAG.test(text);

type Where = { readonly loading: Loading; readonly draft: Draft; readonly where: string };

const loadFeatures = ({ loading, draft, where }: Where, { features }: Pick<DocumentDomain, 'features'>): Loaded => {
  const values = new Map<string, string>();
  for (const { name, text } of features) {
    if (name === null) return refuse(where, 'a feature has no name');
    values.set(name, text ?? '');
  }
  const found = Object.fromEntries(values);
  const order = [...values.keys()];
  const kept = Object.keys(found).every((name, at) => name === order[at]);
  change(loading, draft, kept ? { features: found } : { features: found, featureOrder: order });
  return ok(null);
};

const loadTags = ({ loading, draft, where }: Where, { tags }: Pick<DocumentDomain, 'tags'>): Loaded => {
  const bad = tags.find((tag) => tag === null || !isTag(tag));
  if (bad !== undefined) return refuse(where, `${quoted(bad)} is no tag`);
  change(loading, draft, { tags: [...new Set(tags as readonly string[])] });
  return ok(null);
};

type Attributes = Readonly<Record<string, string>>;

/** `required` is how Qubes before 4.3 said it. Null: a mode that stock does not know, which it skips. */
const modeOf = (where: string, attributes: Attributes) => {
  const legacy = attributes['required'];
  if (legacy !== undefined) {
    const word = parseBool(legacy);
    if (word === null) return refuse(where, `required is ${quoted(legacy)}`);
    return ok<AssignmentMode>(word === 'True' ? 'required' : 'auto-attach');
  }
  const text = attributes['mode'] ?? 'required';
  if (text === 'manual') return refuse(where, 'a device of mode manual cannot be assigned');
  return ok(ASSIGNMENT_MODES.find((mode) => mode === text) ?? null);
};

type Device = DocumentDomain['devices'][number]['devices'][number];

const optionsOf = (where: string, { options }: Device) => {
  const values = new Map<string, string>();
  for (const { name, text } of options) {
    if (name === null) return refuse(where, 'an option of a device has no name');
    // Stock turns an empty element into Python's text for nothing.
    values.set(name, text ?? 'None');
  }
  return ok(values);
};

/** The assignment that an element means, or why stock skips it. */
const assignmentOf = (loading: Loading, where: string, device: Device) => {
  const { attributes } = device;
  const options = optionsOf(where, device);
  if (!options.ok) return options;
  const mode = modeOf(where, attributes);
  if (!mode.ok) return mode;
  if (mode.value === null) return ok(`there is no mode ${quoted(attributes['mode'] ?? null)}`);
  const legacy = options.value.get('identity');
  options.value.delete('identity');
  const backend = attributes['backend-domain'] || null;
  if (backend !== null && !loading.host.vms.has(backend as VmName)) return ok(`there is no VM ${quoted(backend)}`);
  const identity = legacy ?? attributes['identity'] ?? '*';
  const id = attributes['id'] ?? '*';
  return ok({ backend, id, mode: mode.value, identity, options: [...options.value] } satisfies Assignment);
};

const nameless = ({ identity }: Assignment): Assignment['identity'] => (identity === '' ? '*' : identity);

type Classed = { readonly deviceClass: string | null; readonly device: Device };

const lose = ({ loading, draft }: Where, { deviceClass, device }: Classed, why: string): void => {
  const what = `${deviceClass ?? 'nameless'} device ${device.attributes['backend-domain'] ?? '*'}:${device.attributes['id'] ?? '*'}`;
  loading.lost.push({ object: draft.name, what, text: JSON.stringify(device), why });
};

const loadDevices = (at: Where, { devices }: Pick<DocumentDomain, 'devices'>): Loaded => {
  const { loading, draft, where } = at;
  const found = new Map<string, Assignment[]>(
    Object.entries(vmOf(loading, draft).devices ?? {}).map(([name, list]) => [name, [...list]]),
  );
  const seen = new Set<string>();
  for (const one of devices.flatMap((parent) =>
    parent.devices.map((device) => ({ deviceClass: parent.class, device })),
  )) {
    const { deviceClass, device } = one;
    const assignment = assignmentOf(loading, where, device);
    if (!assignment.ok) return assignment;
    if (typeof assignment.value === 'string') lose(at, one, assignment.value);
    else if (deviceClass === null || !DEVICE_CLASSES.has(deviceClass)) {
      lose(at, one, `there is no device class ${quoted(deviceClass)}`);
    } else {
      const { backend, id, identity } = assignment.value;
      const key = JSON.stringify([deviceClass, backend, id, identity]);
      if (seen.has(key)) return refuse(where, `a ${deviceClass} device is assigned twice`);
      seen.add(key);
      const list = found.get(deviceClass) ?? [];
      found.set(deviceClass, [...list, { ...assignment.value, identity: nameless(assignment.value) }]);
    }
  }
  const all: Devices = Object.fromEntries(found);
  if (found.size > 0) change(loading, draft, { devices: all });
  return ok(null);
};

/** Stage 4b: features, tags and devices. What stock skips with a line in its log is lost, and said. */
export const loadExtras = (loading: Loading, draft: Draft): Loaded => {
  const { element } = draft;
  if (!element) return ok(null);
  const at = { loading, draft, where: `VM ${quoted(draft.name)}` };
  for (const load of [loadFeatures, loadTags]) {
    const loaded = load(at, element);
    if (!loaded.ok) return loaded;
  }
  return vmOf(loading, draft).class === 'RemoteVM' ? ok(null) : loadDevices(at, element);
};
