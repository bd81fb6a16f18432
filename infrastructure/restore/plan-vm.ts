import { isUtf8 } from 'node:buffer';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { parseVmName, type VmName } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { MOST_NOTES } from '../../domain/vm/notes.ts';
import { checkVmProperty } from '../../domain/vm/property-rules.ts';
import type { Vm, VmClass } from '../../domain/vm/vm.ts';
import type { BackedUpVm } from '../backup/contents.ts';
import type { FileReport } from '../backup/verify.ts';
import { readFirewallXml } from '../firewall-xml/read.ts';
import type { Survey } from './read-through.ts';

/** What the user asked for besides the names. `kernels`: versions this host has, null when that cannot be told. */
export type Wishes = {
  readonly renames: ReadonlyMap<string, string>;
  readonly pool: string | null;
  readonly pools: Readonly<Record<string, string>>;
  readonly kernels: readonly string[] | null;
};

/** A RestoreVM in the making. `later`: references to VMs that do not exist yet. */
export type VmPlan = {
  readonly was: string;
  readonly name: VmName;
  readonly payload: object;
  /** `data`: bytes of it that are no hole */
  readonly volumes: readonly {
    readonly name: string;
    readonly size: number;
    readonly data: number;
    readonly sha256: string;
  }[];
  readonly firewall: boolean;
  readonly later: readonly { readonly property: string; readonly value: string }[];
  readonly warnings: readonly string[];
};

const CLASSES: ReadonlySet<string> = new Set(['TemplateVM', 'AppVM', 'StandaloneVM', 'DispVM']);
const REFERENCES: ReadonlySet<string> = new Set(['netvm', 'default_dispvm', 'management_dispvm', 'guivm', 'audiovm']);

type Making = {
  readonly host: Host;
  readonly survey: Survey;
  readonly vm: BackedUpVm;
  readonly wishes: Wishes;
  /** names in the backup of VMs that are restored with this one */
  readonly together: ReadonlySet<string>;
};

const IMAGE = /^([a-z][a-z0-9_-]{0,30})\.img$/;

const imagesIn = (
  { vm, survey }: Making,
  warnings: string[],
): Result<readonly (FileReport & { volume: string })[], string> => {
  const report = survey.report.vms.find(({ name }) => name === vm.name);
  const images: (FileReport & { volume: string })[] = [];
  for (const file of report?.files ?? []) {
    const volume = IMAGE.exec(file.name)?.[1];
    if (file.ok && volume && file.size === 0) warnings.push(`${file.name} is empty in the backup`);
    else if (file.ok && volume) images.push({ ...file, volume });
    else if (file.ok) continue;
    else if (file.problem === 'it is not in the backup') warnings.push(`${file.name} is not in the backup`);
    else return err(`${file.name}: ${file.problem}`);
  }
  return ok(images);
};

/** The name a VM of the backup will have here, or has here already. */
const nameHere = ({ wishes, together }: Making, name: string): string =>
  together.has(name) ? (wishes.renames.get(name) ?? name) : name;

const draftFor = (name: VmName, { class: vmClass, settings }: BackedUpVm): Vm => ({
  name,
  class: vmClass as VmClass,
  power: { is: 'halted' },
  properties: {},
  features: settings.features,
  tags: settings.tags,
  volumes: {},
  firewall: null,
  published: null,
});

type Sorted = { readonly now: Record<string, string>; readonly later: { property: string; value: string }[] };

/** Properties this host takes now, those that have to wait for another VM, and a warning for each of the rest. */
const sortProperties = (making: Making, draft: Vm, warnings: string[]): Sorted => {
  const { host, vm, wishes, together } = making;
  const sorted: Sorted = { now: {}, later: [] };
  for (const [property, text] of Object.entries(vm.settings.properties)) {
    const isReference = REFERENCES.has(property) && text !== '';
    const value = isReference ? nameHere(making, text) : text;
    if (isReference && together.has(text) && !host.vms.has(value as VmName)) {
      sorted.later.push({ property, value });
      continue;
    }
    if (property === 'kernel' && text !== '' && wishes.kernels && !wishes.kernels.includes(text)) {
      warnings.push(`kernel ${text} is not installed here: the default is used`);
      continue;
    }
    const checked = checkVmProperty(host, draft, property, value);
    if (checked.ok && checked.value !== null) sorted.now[property] = checked.value;
    else if (!checked.ok) warnings.push(`${property}=${text} is left at its default: ${checked.error.message}`);
  }
  return sorted;
};

const KEY = /^[A-Za-z0-9_.:/+-]{1,255}$/;
const TAG = /^[A-Za-z0-9_-]{1,255}$/;

const featuresOf = ({ vm, survey }: Making, warnings: string[]): Readonly<Record<string, string>> => {
  const menu = survey.small.get(`${vm.path}/whitelisted-appmenus.list`)?.toString('utf8').split('\n').filter(Boolean);
  const wanted = { ...vm.settings.features, ...(menu ? { 'menu-items': menu.join(' ') } : {}) };
  return Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => {
      const fits = KEY.test(name) && value.length <= 4096;
      if (!fits) warnings.push(`feature ${name} is left out: it does not fit`);
      return fits;
    }),
  );
};

const rulesOf = ({ vm, survey }: Making, warnings: string[]): Result<readonly string[] | null, Failure> => {
  const file = survey.small.get(`${vm.path}/firewall.xml`);
  if (!file) return ok(null);
  const read = readFirewallXml(file);
  if (!read.ok) return read;
  warnings.push(...read.value.notes.map((note) => `firewall.xml: ${note}`));
  return ok(read.value.rules);
};

/** As stock keeps them: UTF-8, and not more than it takes. */
const notesOf = ({ vm, survey }: Making, warnings: string[]): string | null => {
  const file = survey.small.get(`${vm.path}/notes.txt`);
  if (!file || file.length === 0) return null;
  if (file.length <= MOST_NOTES && isUtf8(file)) return file.toString('utf8');
  warnings.push('its notes are left out: they are too long or no UTF-8');
  return null;
};

const labelOf = ({ host, vm }: Making, warnings: string[]): string => {
  const { label } = vm.settings;
  if (label !== null && host.site?.labels.some(({ name }) => name === label)) return label;
  warnings.push(`label ${label ?? '(none)'} is not known here: red is used`);
  return 'red';
};

/** What one VM of the backup becomes here; an error says why it cannot be restored. */
export const planVm = (making: Making): Result<VmPlan, string> => {
  const { vm, wishes } = making;
  if (!CLASSES.has(vm.class)) return err(`a ${vm.class || 'VM without a class'} is not restored`);
  const name = parseVmName(nameHere(making, vm.name));
  if (!name.ok) return err(name.error.message);
  const warnings: string[] = vm.settings.left.map((what) => `${what} is left out`);
  const images = imagesIn(making, warnings);
  if (!images.ok) return images;
  const rules = rulesOf(making, warnings);
  if (!rules.ok) return err(`its firewall.xml: ${rules.error.message}`);
  const { now, later } = sortProperties(making, draftFor(name.value, vm), warnings);
  const template = vm.settings.template === null ? null : nameHere(making, vm.settings.template);
  const notes = notesOf(making, warnings);
  const payload = {
    name: name.value,
    class: vm.class,
    template,
    label: labelOf(making, warnings),
    pool: wishes.pool,
    pools: wishes.pools,
    properties: now,
    features: featuresOf(making, warnings),
    tags: vm.settings.tags.filter((tag) => TAG.test(tag)),
    images: Object.fromEntries(
      images.value.map(({ volume, name: file, size, stored, sha256 }) => [
        volume,
        { file: `${vm.path}/${file}`, bytes: size, data: stored ?? 0, sha256 },
      ]),
    ),
    ...(notes === null ? {} : { notes }),
    rules: rules.value,
  };
  const volumes = images.value.map(({ volume, size, stored, sha256 }) => ({
    name: volume,
    size: size ?? 0,
    data: stored ?? 0,
    sha256: sha256 ?? '',
  }));
  return ok({ was: vm.name, name: name.value, payload, volumes, firewall: rules.value !== null, later, warnings });
};
