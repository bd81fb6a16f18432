import { stepsOf } from '../../../domain/decision.ts';
import type { DiskId, DiskRef } from '../../../domain/disk.ts';
import type { Recorded } from '../../../domain/event.ts';
import type { Host } from '../../../domain/host/host.ts';
import type { Deed } from '../../../domain/steps.ts';
import { featureNames, type Vm, volumesOf } from '../../../domain/vm/vm.ts';
import { currentOf, type Volume } from '../../../domain/volume/volume.ts';

/** What a disk holds: whose writing, and how much of it is left when it was cut. */
type Held = { readonly text: string; readonly kept: number };

/**
 * The contents of all disks of a log, told from its steps alone: a second opinion, which knows nothing of how the way back
 * is decided. Whoever gets a disk to write on writes something new.
 */
const contentsIn = (log: readonly Recorded[]): ReadonlyMap<DiskId, Held> => {
  const held = new Map<DiskId, Held>();
  const plans = new Map<string, ReadonlyMap<number, Deed>>();
  const made = new Map<string, DiskId>();
  for (const { event, command, position } of log) {
    const idOf = (ref: DiskRef): DiskId => ('id' in ref ? ref.id : (made.get(`${command} ${ref.madeBy}`) as DiskId));
    if (event.type === 'CommandAccepted') {
      plans.set(command, new Map(stepsOf(event.plan).map(({ n, deed }) => [n, deed])));
    } else if (event.type === 'SessionOpened') {
      held.set(event.session.disk.id, { text: `session ${position}`, kept: Number.MAX_SAFE_INTEGER });
    } else if (event.type === 'StepDone' && event.disk) {
      made.set(`${command} ${event.n}`, event.disk.id);
      const { id, bytes } = event.disk;
      const deed = plans.get(command)?.get(event.n);
      const before = held.get(id) ?? { text: `empty ${position}`, kept: bytes };
      if (deed?.do === 'create') held.set(id, before);
      else if (deed?.do === 'snapshot') held.set(id, held.get(idOf(deed.of)) ?? before);
      else if (deed?.do === 'fill') held.set(id, { text: `filled ${position}`, kept: bytes });
      else if (deed?.do === 'resize') held.set(id, { text: before.text, kept: Math.min(before.kept, bytes) });
      else if (deed?.do === 'move' && deed.to.role.kind === 'direct') {
        held.set(id, { text: `direct ${position}`, kept: bytes });
      }
    }
  }
  return held;
};

const volumeMeans = (volume: Volume, held: ReadonlyMap<DiskId, Held>) => {
  const { key: _key, written: _written, ...spec } = volume.spec;
  const current = currentOf(volume);
  const content = current ? { ...held.get(current.id), bytes: current.bytes } : null;
  const kept = content ? Math.min(content.kept ?? 0, content.bytes) : 0;
  return { ...spec, content: content && `${content.text}, ${kept} of ${content.bytes}` };
};

const vmMeans = (vm: Vm, held: ReadonlyMap<DiskId, Held>) => ({
  class: vm.class,
  properties: vm.properties,
  features: featureNames(vm).map((name) => `${name}=${vm.features[name]}`),
  tags: vm.tags,
  devices: Object.fromEntries(Object.entries(vm.devices ?? {}).filter(([, list]) => list.length > 0)),
  firewall: vm.firewall?.rules ?? null,
  volumes: Object.fromEntries(volumesOf(vm).map((volume) => [volume.spec.name, volumeMeans(volume, held)])),
});

/** A state as far as people can tell it apart: settings, rules and contents, without disks, revisions, power and trash. */
export const meaningOf = ({ site, pools, vms }: Host, log: readonly Recorded[]) => {
  const held = contentsIn(log);
  return {
    site: site && { properties: site.properties, labels: [...site.labels].sort((a, b) => a.index - b.index) },
    pools: Object.fromEntries(pools),
    vms: Object.fromEntries(
      [...vms].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, vm]) => [name, vmMeans(vm, held)]),
    ),
  };
};
