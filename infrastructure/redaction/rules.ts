import { plainNotes } from '../../domain/vm/notes.ts';
import { featureName, propertyName, propertyValue, ruleLine } from './settings.ts';
import { objectIn, REDACTED, type Redactor, volumeKeyIn } from './words.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** How one string becomes another; `fields` is the object it stands in, `scope` the event's type, the command's name or what that object is called. */
type Rule = (one: Redactor, text: string, fields: Fields, scope: string) => string;

const keep: Rule = (_, text) => text;
const drop: Rule = (_, text) => (text === '' ? '' : REDACTED);
const vm: Rule = ({ words }, text) => words.vm(text);
const pool: Rule = ({ words }, text) => words.pool(text);
const disk: Rule = ({ words }, text) => words.disk(text);
export const text: Rule = ({ words }, value) => words.text(value);
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
/** As they are kept, so that what was decided about them is decided again. */
const notes: Rule = ({ words }, value) => (value === '' ? '' : words.text(plainNotes(value)));
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
  if (scope === 'RemovePool' || scope === 'SetPoolReserve' || scope === 'pools') return words.pool(value);
  if (/^(SetProperty|PropertySet|GlobalPropertySet)$/.test(scope)) return propertyName(words, value);
  if (scope.includes('Feature')) return featureName(words, value);
  if (scope.includes('Tag')) return words.tag(value);
  if (scope === 'backup') return words.backup(value);
  const isDisk = /^(wound|DiskAdopted|disks|untouched|expected|seen|there|DiskLost|made|gone)$/.test(scope);
  if (isDisk || fields['kind'] === 'stray') return storage.diskName(value);
  return words.vm(value);
};

/** A setting's value, before and after. */
const setting: Rule = (one, value, fields, scope) => {
  if (scope.includes('Property')) return propertyValue(one.words, String(fields['name']), value);
  if (scope.includes('Feature')) return value === '' ? '' : one.words.text(value);
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
  if ('number' in fields || scope.startsWith('Revision')) return revision(one, value, fields, scope);
  if (scope === 'backup') return backupId(one, value, fields, scope);
  if ('identity' in fields || scope === 'labels') return one.words.text(value);
  return one.words.disk(value);
};

/** By the key a string stands under. A key that is not here makes it opaque: nothing new gets out by being forgotten. */
export const RULES: Readonly<Record<string, Rule>> = {
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
  was: (one, value, _, scope) => {
    if (scope === 'renamed') return one.storage.diskName(value);
    return scope === 'disks' ? one.words.disk(value) : one.words.vm(value);
  },
  now: (one, value, _, scope) => (scope === 'renamed' ? one.storage.diskName(value) : one.words.disk(value)),
  disk,
  disks: disk,
  origin: disk,
  open: disk,
  bornElsewhere: disk,
  written: disk,
  copies: ({ words }, value) => `${words.disk(value.replace(/@[0-9]+$/, ''))}${/@[0-9]+$/.exec(value)?.[0] ?? ''}`,
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
  only: object,
  volumes: object,
  lane: object,
  vid: ({ storage }, value) => storage.vid(value),
  group: ({ words }, value) => words.volumeGroup(value),
  commandLine: drop,
  operation: ({ words }, value) => words.command(value),
  volumeGroup: ({ words }, value) => words.volumeGroup(value),
  thinPool: ({ words }, value) => words.thinPool(value),
  dir: ({ words }, value) => (/^(vm[0-9]+|dom0-home)$/.test(value) ? value : words.path(value)),
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
  text: (one, value, fields, scope) => (/^(SetNotes|NotesSet)$/.test(scope) ? notes : drop)(one, value, fields, scope),
  notes,
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
