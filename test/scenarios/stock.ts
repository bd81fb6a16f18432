import type { Fact } from '../../domain/event.ts';
import type { Volume, VolumeSpec } from '../../domain/volume/volume.ts';
import { readText } from '../../infrastructure/drivers/lvm-model/content.ts';
import type { LvmModel } from '../../infrastructure/drivers/lvm-model/model.ts';
import * as to from '../domain/commands.ts';
import { volumeSpec } from '../domain/volume-spec.ts';
import { newWorld, type World } from '../runner/world.ts';

/**
 * An LV as stock Qubes leaves it. `of`: content; `from`: the LV it is a snapshot of; `empty`: blkdiscard had run;
 * `skip`, `inactive`: as after a restore by hand.
 */
export type StockLv = {
  readonly of?: string;
  readonly from?: string;
  readonly empty?: true;
  readonly skip?: true;
  readonly inactive?: true;
};

const must = (done: { readonly ok: boolean }, what: string): void => {
  if (!done.ok) throw new Error(`the model refused ${what}`);
};

export const makeLv = (model: LvmModel, name: string, lv: StockLv): void => {
  const made = lv.from === undefined ? model.create(name, 2 ** 26) : model.snapshot(lv.from, name);
  must(made, name);
  if (lv.of !== undefined) must(model.writeAt(name, 0, lv.of.padEnd(32, '\0')), `writing to ${name}`);
  if (lv.empty) must(model.discard(name), `discarding ${name}`);
  if (lv.skip)
    must(
      model.relabel(name, (one) => ({ ...one, skip: true })),
      `marking ${name}`,
    );
  if (lv.skip || lv.inactive) must(model.deactivate(name), `deactivating ${name}`);
};

const spec = (vm: string, volume: string, more: Partial<VolumeSpec> = {}): VolumeSpec =>
  volumeSpec(vm, volume, { pool: 'lvm', vid: `qubes_dom0/vm-${vm}-${volume}`, bytes: 2 ** 26 }, more);

type StockVm = {
  readonly name: string;
  readonly class: 'AppVM' | 'TemplateVM';
  readonly volumes: readonly VolumeSpec[];
};

export const stockTemplate = (name: string): StockVm => ({
  name,
  class: 'TemplateVM',
  volumes: [spec(name, 'root'), spec(name, 'private'), spec(name, 'volatile', { saveOnStop: false })],
});

export const stockAppVm = (name: string, keep = 1): StockVm => ({
  name,
  class: 'AppVM',
  volumes: [
    spec(name, 'root', { snapOnStart: true, saveOnStop: false, source: 'fedora:root' as never }),
    spec(name, 'private', { revisionsToKeep: keep }),
    spec(name, 'volatile', { saveOnStop: false }),
  ],
});

/** What reading a host's qubes.xml records of a VM: its volumes, and no disk. */
const facts = ({ name, class: vmClass, volumes }: StockVm): readonly Fact[] => [
  {
    type: 'VmCreated',
    vm: name as never,
    class: vmClass,
    properties: { label: 'red', ...(vmClass === 'AppVM' ? { template: 'fedora' } : {}) },
    features: {},
    tags: [],
    volumes,
    clonedFrom: null,
  },
];

/** A host whose log knows the VMs as qubes.xml has them, over a pool that stock Qubes left. */
export const stockHost = async (vms: readonly StockVm[], lvs: Readonly<Record<string, StockLv>>): Promise<World> => {
  const world = newWorld();
  await world.does(to.init(to.lvmPool('lvm')));
  world.journal.record('given', vms.flatMap(facts));
  for (const [name, lv] of Object.entries(lvs)) makeLv(world.model, name, lv);
  return world;
};

/** The template with its disks, and `work` with what is given: names are those behind `vm-work-private`. */
export const workLeftWith = (
  lvs: Readonly<Record<string, StockLv>>,
  { keep = 1 }: { readonly keep?: number } = {},
): Promise<World> =>
  stockHost([stockTemplate('fedora'), stockAppVm('work', keep)], {
    'vm-fedora-root': { of: 'T1' },
    'vm-fedora-private': { of: 'P1' },
    ...Object.fromEntries(Object.entries(lvs).map(([suffix, lv]) => [`vm-work-private${suffix}`, named(lv)])),
  });

const named = (lv: StockLv): StockLv => (lv.from === undefined ? lv : { ...lv, from: `vm-work-private${lv.from}` });

const contentOf = (world: World, disk: { readonly id: string }): string => {
  const state = world.model.state();
  const lv = state.lvs.get(disk.id as never);
  if (!lv) return '(gone)';
  const chunks = state.kernel.devices.get(lv.thinId);
  return chunks?.has(0) ? readText(chunks, 0, 32).replace(/\0+$/, '') : '';
};

/** What the log says a volume has now, by the content of the disks it names. */
const held = (world: World, volume: Volume) => {
  const { situation } = volume;
  const session = 'session' in situation ? situation.session.disk : null;
  const current = 'current' in situation ? situation.current : null;
  return {
    is: situation.is,
    current: current && contentOf(world, current),
    session: session && contentOf(world, session),
    revisions: [...volume.revisions].sort((a, b) => a.number - b.number).map(({ disk }) => contentOf(world, disk)),
  };
};

export const volumeIn = (world: World, key: string): Volume => {
  const [vm, name] = key.split(':');
  const volume = world.host.vms.get(vm as never)?.volumes[name as never];
  if (!volume) throw new Error(`there is no ${key}`);
  return volume;
};

export const heldBy = (world: World, key: string) => held(world, volumeIn(world, key));

/** Contents in the trash, which an adoption fills and never empties. */
export const trashOf = (world: World): readonly string[] =>
  [...world.host.trash.values()].map(({ disk }) => contentOf(world, disk)).sort();
