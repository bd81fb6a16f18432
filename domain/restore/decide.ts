import { roundUpToSector } from '../bytes.ts';
import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { ruleToKeep } from '../firewall/decide.ts';
import { firstFirewall } from '../firewall/plan.ts';
import type { RuleLine } from '../firewall/rule.ts';
import { reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import type { VolumeName } from '../names.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import { DEFAULT_VOLUMES } from '../vm/default-volumes.ts';
import { tagsOfNew } from '../vm/keepers.ts';
import { holdNew, identity, mustBeFree } from '../vm/new-vm.ts';
import { newVolumes } from '../vm/new-volumes.ts';
import { plainNotes } from '../vm/notes.ts';
import { checkVmProperty } from '../vm/property-rules.ts';
import { checkTemplate } from '../vm/template-rules.ts';
import type { Vm } from '../vm/vm.ts';
import { volumeOfSpec } from '../volume/evolve.ts';
import { provision } from '../volume/provision.ts';
import { CURRENT, placeOf } from '../volume/swap.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import type { RestoreVm } from './commands.ts';

type Image = RestoreVm['images'][VolumeName];

/** The properties in the form they are kept in, or the first that this host cannot take. */
const settled = (host: Host, draft: Vm, wanted: RestoreVm['properties']): Result<Vm['properties'], Failure> => {
  const properties: Record<string, string> = { ...draft.properties };
  for (const [name, value] of Object.entries(wanted)) {
    const checked = checkVmProperty(host, draft, name, value);
    if (!checked.ok) return checked;
    if (checked.value !== null) properties[name] = checked.value;
  }
  return ok(properties);
};

const draftOf = (host: Host, payload: RestoreVm, context: Context): Vm => ({
  name: payload.name,
  class: payload.class,
  power: { is: 'halted' },
  properties: {
    label: payload.label,
    ...identity(host, context, payload.class),
    ...(payload.template === null ? {} : { template: payload.template }),
  },
  features: payload.features,
  tags: [...new Set([...tagsOfNew(host, payload), ...payload.tags])],
  volumes: {},
  firewall: null,
  published: null,
});

/** Volumes of the backup that no class has by default: kept ones, like the one they were. */
const moreVolumes = ({ class: vmClass, images }: RestoreVm) => {
  const usual = new Set<string>(DEFAULT_VOLUMES[vmClass].map(({ name }) => name));
  return Object.entries(images)
    .filter(([name]) => !usual.has(name))
    .map(([name, { bytes }]) => ({
      name: name as VolumeName,
      bytes,
      rw: true,
      snapOnStart: false,
      saveOnStop: true,
    }));
};

/** With the sizes of the backup: a volume is made as large as what comes into it, larger or smaller than the default. */
const sized = (spec: VolumeSpec, image: Image | undefined): VolumeSpec =>
  image && spec.saveOnStop ? { ...spec, bytes: roundUpToSector(image.bytes) } : spec;

type Filling = { readonly spec: VolumeSpec; readonly image: Image; readonly backup: string };

/** One lane for all volumes of a VM: a backup is one stream, its files can only be read one after the other. */
const fillFromBackup = (builder: PlanBuilder, lane: string, { spec, image, backup }: Filling): void => {
  const volume = volumeOfSpec(spec);
  const at = placeOf(volume, { kind: 'incoming', position: builder.freshPosition() });
  const made = builder.main(spec.key, { do: 'create', at, bytes: spec.bytes }, lane);
  const disk = { madeBy: made };
  const from = { kind: 'backup', backup, file: image.file, bytes: image.bytes, data: image.data } as const;
  builder.main(spec.key, { do: 'fill', disk, at, from }, lane);
  builder.main(spec.key, { do: 'move', disk, from: at, to: placeOf(volume, CURRENT) }, lane);
  builder.fact({ type: 'VolumeRestored', volume: spec.key, from: backup, sha256: image.sha256, current: disk });
};

const rulesOf = (rules: readonly string[]): Result<readonly RuleLine[], Failure> => {
  const lines: RuleLine[] = [];
  for (const text of rules) {
    const rule = ruleToKeep(text);
    if (!rule.ok) return rule;
    lines.push(rule.value);
  }
  return ok(lines);
};

const fillable = (specs: readonly VolumeSpec[], { images, backup }: RestoreVm): Result<null, Failure> => {
  const stray = Object.keys(images).find((name) => !specs.some((spec) => spec.name === name && spec.saveOnStop));
  if (stray === undefined) return ok(null);
  return err(failure('D_SPEC_INVALID', `${backup.was}:${stray} is in the backup, but such a VM keeps no ${stray}`));
};

type Restoring = { readonly host: Host; readonly payload: RestoreVm; readonly context: Context; readonly vm: Vm };

const plan = ({ host, payload, context, vm }: Restoring, specs: readonly VolumeSpec[]): Decision => {
  const builder = planBuilder(context.position);
  const { name, class: vmClass, properties, features, tags } = vm;
  builder.fact({
    type: 'VmCreated',
    vm: name,
    class: vmClass,
    properties,
    features,
    tags,
    volumes: specs,
    clonedFrom: null,
  });
  const { name: backup, id: backupId, was } = payload.backup;
  builder.fact({ type: 'VmRestored', vm: name, backup, backupId, was });
  const notes = plainNotes(payload.notes ?? '');
  if (notes !== '') builder.fact({ type: 'NotesSet', vm: name, text: notes });
  for (const spec of specs) {
    const image = payload.images[spec.name];
    if (image) {
      fillFromBackup(builder, name, { spec, image, backup });
      continue;
    }
    const made = provision(spec, host, { builder, pool: host.pools.get(spec.pool) as Pool, context });
    if (!made.ok) return made;
  }
  if (payload.rules !== null) {
    const rules = rulesOf(payload.rules);
    if (!rules.ok) return rules;
    firstFirewall(builder, vm, { rules: rules.value, asOf: context.now }, 'restored');
  }
  const template = payload.template === null ? [] : [reading(payload.template)];
  return ok({ plan: builder.build(), holds: [...holdNew(name, specs), ...template] });
};

/**
 * A VM with everything a backup has of it, or nothing: its volumes are made in their sizes, filled beside their places and
 * moved there when each is whole. Until the last step it is not in the log, so a failure or a crash leaves no half VM.
 */
export const decideRestoreVm = (host: Host, payload: RestoreVm, context: Context): Decision => {
  const free = mustBeFree(host, payload.name);
  if (!free.ok) return free;
  const template = checkTemplate(host, payload.class, payload.template);
  if (!template.ok) return template;
  if (!host.site?.labels.some((one) => one.name === payload.label))
    return err(failure('D_NOT_FOUND', `there is no label ${payload.label}`));
  const draft = draftOf(host, payload, context);
  const properties = settled(host, draft, payload.properties);
  if (!properties.ok) return properties;
  const vm = { ...draft, properties: properties.value };
  const { name, pool, pools } = payload;
  const more = moreVolumes(payload);
  const volumes = {
    name,
    class: payload.class,
    template: template.value,
    properties: vm.properties,
    pool,
    pools,
    more,
  };
  const specs = newVolumes(host, volumes);
  if (!specs.ok) return specs;
  const fits = fillable(specs.value, payload);
  if (!fits.ok) return fits;
  return plan(
    { host, payload, context, vm },
    specs.value.map((spec) => sized(spec, payload.images[spec.name])),
  );
};
