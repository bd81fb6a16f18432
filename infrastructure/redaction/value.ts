import { documentIn } from './document.ts';
import { dbPath, dbValue, featureName, propertyName, propertyValue, ruleLine } from './settings.ts';
import { objectIn, REDACTED, type Storage, volumeKeyIn, type Words } from './words.ts';

type Value = unknown;
type Fields = Readonly<Record<string, Value>>;
export type Redactor = { readonly words: Words; readonly storage: Storage };

/** How one string becomes another; `fields` is the object it stands in, `scope` the event's type, the command's name or what that object is called. */
type Rule = (one: Redactor, text: string, fields: Fields, scope: string) => string;

const keep: Rule = (_, text) => text;
const drop: Rule = (_, text) => (text === '' ? '' : REDACTED);
const vm: Rule = ({ words }, text) => words.vm(text);
const pool: Rule = ({ words }, text) => words.pool(text);
const disk: Rule = ({ words }, text) => words.disk(text);
const path: Rule = ({ words }, text) => words.path(text);
const text: Rule = ({ words }, value) => words.text(value);
/** What has a slash is the name of a disk: no VM and no volume has one. */
const object: Rule = ({ words, storage }, value) =>
  value.includes('/') ? storage.diskName(value) : objectIn(words, value);
/** A backup's id, as domtrail makes it of the time. */
const backupId: Rule = ({ words }, value) =>
  /^[0-9]{8}T[0-9]{6}-[0-9a-f]{1,10}$/.test(value) ? value : words.backup(value);
/** `private.img`, in a backup below the VM's directory. */
const image: Rule = ({ words }, value) => {
  const [, dir = '', name] = /^((?:vm[0-9]+\/)?)([^/]+)\.img$/.exec(value) ?? [];
  if (name !== undefined) return `${dir}${words.volume(name)}.img`;
  return /^(vm[0-9]+\/)?firewall\.xml$/.test(value) ? value : words.text(value);
};
const key: Rule = ({ words }, value) => (value.includes(':') ? volumeKeyIn(words, value) : words.volume(value));

/** Reasons that domtrail itself gives; any other is somebody's sentence. */
const REASONS: ReadonlySet<string> = new Set(
  'retention|discarded|removed|undone|not-kept|superseded|leftover|released|removal|set|add|remove|expired|adopted|cloned|restored'.split(
    '|',
  ),
);
const reason: Rule = (_, value) => (REASONS.has(value) ? value : REDACTED);

/** `-1700000000-back`, `3@2026-11-22T22:50:45Z`, `4`: numbers and times. */
const revision: Rule = ({ words }, value) =>
  /^[0-9]{1,12}(-back|@[0-9T:-]{10,20}Z)?$/.test(value) ? value : words.text(value);

/** What a `name` names depends on what stands beside it and who says it. */
const name: Rule = (one, value, fields, scope) => {
  const { words, storage } = one;
  if ('driver' in fields) return words.pool(value);
  if ('vid' in fields) return words.volume(value);
  if ('color' in fields) return words.label(value);
  if ('digest' in fields || 'plan' in fields) return value;
  if (scope === 'RemovePool' || scope === 'SetPoolReserve') return words.pool(value);
  if (/^(SetProperty|PropertySet|GlobalPropertySet)$/.test(scope)) return propertyName(words, value);
  if (/Feature/.test(scope)) return featureName(words, value);
  if (/Tag/.test(scope)) return words.tag(value);
  if (scope === 'backup') return words.backup(value);
  const isDisk = /^(wound|DiskAdopted|disks|untouched|expected|seen|there|DiskLost)$/.test(scope);
  if (isDisk || fields['kind'] === 'stray') return storage.diskName(value);
  return words.vm(value);
};

/** A setting's value, before and after. */
const setting: Rule = (one, value, fields, scope) => {
  if (/Property/.test(scope)) return propertyValue(one.words, String(fields['name']), value);
  if (/Feature/.test(scope)) return value === '' ? '' : one.words.text(value);
  if (scope === 'StepDone') return one.storage.diskName(value);
  return ruleLine(one.words, value);
};

/** `from` and `to` of facts; those of steps are objects. */
const fromTo: Rule = (one, value, fields, scope) => {
  if (scope === 'VolumeCloned' || /^(Disk|Trash)/.test(scope)) return objectIn(one.words, value);
  if (scope === 'VolumeRestored') return one.words.backup(value);
  if (scope === 'VolumeReverted') return revision(one, value, fields, scope);
  return one.words.path(value);
};

const id: Rule = (one, value, fields, scope) => {
  if ('number' in fields || /^Revision/.test(scope)) return revision(one, value, fields, scope);
  if (scope === 'backup') return backupId(one, value, fields, scope);
  if ('identity' in fields || scope === 'labels') return one.words.text(value);
  return one.words.disk(value);
};

/** By the key a string stands under. A key that is not here makes it opaque: nothing new gets out by being forgotten. */
const RULES: Readonly<Record<string, Rule>> = {
  type: keep,
  do: keep,
  kind: keep,
  is: keep,
  how: keep,
  driver: keep,
  code: keep,
  color: ({ words }, value) => (/^0x[0-9a-f]{6}$/i.test(value) ? value : words.text(value)),
  over: keep,
  trouble: keep,
  mode: (one, value) => (value === 'write' || value === 'read' ? value : one.words.text(value)),
  class: text,
  why: reason,
  cause: reason,
  name,
  id,
  vm,
  vms: vm,
  netvm: vm,
  template: vm,
  clonedFrom: vm,
  backend: vm,
  was: (one, value, _, scope) => (scope === 'disks' ? one.words.disk(value) : one.words.vm(value)),
  now: disk,
  disk,
  disks: disk,
  origin: disk,
  open: disk,
  bornElsewhere: disk,
  pool,
  pools: pool,
  label: ({ words }, value) => words.label(value),
  volume: key,
  key,
  source: object,
  object,
  objects: object,
  names: object,
  about: object,
  lane: object,
  vid: ({ storage }, value) => storage.vid(value),
  volumeGroup: ({ words }, value) => words.volumeGroup(value),
  thinPool: ({ words }, value) => words.thinPool(value),
  dir: ({ words }, value) => (/^vm[0-9]+$/.test(value) ? value : words.path(value)),
  path: (one, value) => (value.endsWith('/firewall.xml') ? firewallPath(one, value) : one.words.path(value)),
  file: image,
  compression: keep,
  from: fromTo,
  to: fromTo,
  revision,
  tags: ({ words }, value) => words.tag(value),
  featureOrder: ({ words }, value) => featureName(words, value),
  rules: ({ words }, value) => ruleLine(words, value),
  rule: ({ words }, value) => ruleLine(words, value),
  before: setting,
  after: setting,
  value: setting,
  address: text,
  backup: backupId,
  backupId,
  bootId: ({ words }, value) => words.boot(value),
  startTime: text,
  uuid: ({ words }, value) => words.uuid(value),
  stamp: text,
  digest: ({ words }, value) => words.hash(value),
  sha256: ({ words }, value) => words.hash(value),
  timezone: text,
  holder: ({ words }, value) => words.command(value),
  command: ({ words }, value) => words.command(value),
  madeBy: ({ words }, value) => words.command(value),
  fingerprint: text,
  problem: drop,
  reason: drop,
  words: drop,
  message: drop,
  next: drop,
  note: drop,
  what: drop,
  text: drop,
  stderr: drop,
  argv: drop,
};

/** Whether the text under a key is one that a redacted log does not have. */
export const dropsText = (name: string, value: string): boolean => {
  const rule = RULES[name];
  return (rule === drop && value !== '') || (rule === reason && !REASONS.has(value));
};

const firewallPath = ({ words }: Redactor, value: string): string => {
  const [, dir = '', owner = ''] = /^(appvms|vm-templates)\/(.+)\/firewall\.xml$/.exec(value) ?? [];
  return dir === '' ? words.path(value) : `${dir}/${words.vm(owner)}/firewall.xml`;
};

const entriesOf = (fields: Fields, change: (name: string, value: Value) => readonly [string, Value]): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => change(name, value)));

/** Objects whose keys are names themselves, and lists with an order of their own. */
const RECORDS: Readonly<Record<string, (one: Redactor, value: Fields) => Value>> = {
  properties: ({ words }, fields) =>
    entriesOf(fields, (name, value) => [propertyName(words, name), propertyValue(words, name, String(value))]),
  features: ({ words }, fields) =>
    entriesOf(fields, (name, value) => [featureName(words, name), value === '' ? '' : words.text(String(value))]),
  pools: ({ words }, fields) => entriesOf(fields, (name, value) => [words.volume(name), words.pool(String(value))]),
  volumes: (one, fields) =>
    entriesOf(fields, (name, value) => [one.words.volume(name), redacted(one, value, 'volumes', '')]),
  images: (one, fields) =>
    entriesOf(fields, (name, value) => [one.words.volume(name), redacted(one, value, 'images', '')]),
  devices: (one, fields) =>
    entriesOf(fields, (name, value) => [one.words.text(name), redacted(one, value, 'devices', '')]),
  data: ({ words }, fields) =>
    entriesOf(fields, (name, value) => [name.startsWith('/') ? words.path(name) : words.disk(name), value]),
  document: documentIn,
  written: ({ words }, fields) => entriesOf(fields, (name, value) => [name, words.text(String(value))]),
};

type Pairs = readonly (readonly [string, string])[];
const LISTS: Readonly<Record<string, (one: Redactor, value: readonly Value[]) => Value>> = {
  entries: ({ words }, list) => (list as Pairs).map(([number, line]) => [number, ruleLine(words, line)]),
  options: ({ words }, list) => (list as Pairs).map(([name, value]) => [words.text(name), words.text(value)]),
  keys: ({ words }, list) =>
    (list as readonly Fields[]).map((change) => {
      if ('remove' in change) return { remove: dbPath(words, String(change['remove'])) };
      const { write, value } = change;
      const shown = typeof value === 'string' ? dbValue(words, String(write), value) : value;
      return { write: dbPath(words, String(write)), value: shown };
    }),
};

const isObject = (value: Value): value is Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Entries of QubesDB are pairs; the `before` and `after` of a publication hold those. */
const isEntries = (value: readonly Value[]): boolean => value.length > 0 && value.every(Array.isArray);

const fieldsOf = (one: Redactor, fields: Fields, scope: string): Fields => {
  if (typeof fields['vid'] === 'string' && typeof fields['key'] === 'string')
    one.storage.learn(fields['vid'], fields['key']);
  const own = typeof fields['type'] === 'string' ? fields['type'] : scope;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, redactedField(one, value, { name, fields, scope: own })]),
  );
};

type Where = { readonly name: string; readonly fields: Fields; readonly scope: string };

const redactedField = (one: Redactor, value: Value, { name, fields, scope }: Where): Value => {
  if (typeof value === 'string') return (RULES[name] ?? text)(one, value, fields, scope);
  if (Array.isArray(value)) {
    const list = LISTS[name];
    if (list && value.length > 0) return list(one, value);
    if ((name === 'before' || name === 'after') && isEntries(value)) return LISTS['entries']?.(one, value);
    return value.map((item: Value) =>
      typeof item === 'string' ? (RULES[name] ?? text)(one, item, fields, scope) : redacted(one, item, name, name),
    );
  }
  if (!isObject(value)) return value;
  return (RECORDS[name] ?? ((_, object) => fieldsOf(one, object, name)))(one, value);
};

/**
 * Any value of the log with every name replaced and every free text dropped. What stays are numbers, truth values, times, and
 * words of domtrail's own. `scope` tells what a `name` in it names.
 */
export const redacted = (one: Redactor, value: Value, scope: string, listed: string): Value => {
  if (typeof value === 'string') return (RULES[listed] ?? text)(one, value, {}, scope);
  if (Array.isArray(value)) return value.map((item: Value) => redacted(one, item, scope, listed));
  return isObject(value) ? fieldsOf(one, value, scope) : value;
};
