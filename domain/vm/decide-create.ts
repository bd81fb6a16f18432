import type { Hold } from '../command/events.ts';
import type { Context, Decision } from '../decision.ts';
import { failure } from '../failure.ts';
import { inheritFirewall } from '../firewall/plan.ts';
import { reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok } from '../result.ts';
import { provision } from '../volume/provision.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import type { CreateVm } from './commands.ts';
import { tagsOfNew } from './keepers.ts';
import { holdNew, identity, mustBeFree } from './new-vm.ts';
import { newVolumes } from './new-volumes.ts';
import { checkTemplate } from './template-rules.ts';

const sourceHolds = (specs: readonly VolumeSpec[]): readonly Hold[] => [
  ...new Map(specs.flatMap(({ source }) => (source ? [[source, reading(source)] as const] : []))).values(),
];

export const decideCreateVm = (host: Host, payload: CreateVm, context: Context): Decision => {
  const free = mustBeFree(host, payload.name);
  if (!free.ok) return free;
  const wished =
    payload.template ?? (payload.class === 'AppVM' ? host.site?.properties['default_template'] : null) ?? null;
  const template = checkTemplate(host, payload.class, wished);
  if (!template.ok) return template;
  const label = payload.label ?? (payload.class === 'TemplateVM' ? 'black' : 'red');
  if (!host.site?.labels.some((one) => one.name === label)) {
    const labels = host.site?.labels.map((one) => one.name).join(', ');
    return err(failure('D_NOT_FOUND', `there is no label ${label} (labels: ${labels})`));
  }
  const properties: Record<string, string> = { label, ...identity(host, context, payload.class) };
  if (template.value) properties['template'] = template.value.name;
  const { name, pool, pools } = payload;
  const specs = newVolumes(host, { name, class: payload.class, template: template.value, properties, pool, pools });
  if (!specs.ok) return specs;
  const builder = planBuilder(context.position);
  builder.fact({
    type: 'VmCreated',
    vm: name,
    class: payload.class,
    properties,
    features: {},
    tags: tagsOfNew(host, { class: payload.class, properties }),
    volumes: specs.value,
    clonedFrom: null,
  });
  for (const spec of specs.value) {
    const made = provision(spec, host, { builder, pool: host.pools.get(spec.pool) as Pool, context });
    if (!made.ok) return made;
  }
  if (payload.class === 'DispVM') inheritFirewall(builder, payload, template.value?.firewall ?? null, context);
  const templateHold = template.value ? [reading(template.value.name)] : [];
  return ok({
    plan: builder.build(),
    holds: [...holdNew(name, specs.value), ...templateHold, ...sourceHolds(specs.value)],
  });
};
