import type { Command } from '../../domain/decide.ts';
import type { Fault } from '../../infrastructure/fault.ts';
import * as to from '../domain/commands.ts';
import { type Contents, guestWrites, observe } from '../runner/observe.ts';
import { Crash, crashAt, newWorld, type World } from '../runner/world.ts';

/** One row of the crash table: what must be there after a kill behind so many steps, a reboot and a recovery. */
export type Row = { readonly after: number; readonly leaves: Contents; readonly because: string };

type Wanted = { readonly cur: string; readonly backs?: readonly string[]; readonly session?: string };

/** Runs a VM that leaves `text` in its private volume. */
export const ranWith = async (world: World, vm: string, text: string): Promise<World> => {
  await world.does(to.start(vm));
  guestWrites(world, `${vm}:private`, text);
  return world.does(to.stop(vm));
};

/** Template `fedora` (root T1), `src` with S1, `far` in another pool with F1, and `work` as wished: keep = 1. */
export const workWith = async ({ cur, backs = [], session }: Wanted): Promise<World> => {
  const world = newWorld();
  await world.does(
    to.init(to.lvmPool('lvm'), to.lvmPool('ssd', { volumeGroup: 'ssd', thinPool: 'fast' })),
    to.setProperty(null, 'default_pool', 'lvm'),
    to.templateVm('fedora'),
    to.appVm('work', { template: 'fedora' }),
    to.appVm('src', { template: 'fedora' }),
    to.standaloneVm('far', { pool: 'ssd' }),
    to.start('fedora'),
  );
  guestWrites(world, 'fedora:root', 'T1');
  await world.does(to.stop('fedora'));
  for (const text of [...backs, cur]) await ranWith(world, 'work', text);
  await ranWith(world, 'src', 'S1');
  await ranWith(world, 'far', 'F1');
  world.files.put('/images/new', 2 ** 26, [{ offset: 0, text: 'I1' }]);
  if (session === undefined) return world;
  await world.does(to.start('work'));
  guestWrites(world, 'work:private', session);
  return world;
};

export const contentsOf = (world: World, key: string): Contents | undefined => observe(world).volumes[key];

/** Dies right before the step that `steps` others precede. */
const behind = (steps: number): Fault => {
  let begun = 0;
  return {
    armed: true,
    reach: (point) => {
      if (point === 'before-step' && begun++ === steps) throw new Crash(point);
    },
  };
};

/** The stamp of a file is only known once it is there. */
const stamped = (world: World, command: Command): Command => {
  if (command.name !== 'ImportVolume' || command.payload.from.kind !== 'file') return command;
  const { path, bytes } = command.payload.from;
  return {
    ...command,
    payload: { ...command.payload, from: { kind: 'file', path, bytes, stamp: world.files.get(path)?.stamp ?? '' } },
  };
};

/** What was removed waits in the trash on purpose. */
const isRemoved = ({ host }: World, name: string): boolean =>
  [...host.trash.values()].some(
    ({ place, why }) =>
      why === 'removed' && place.role.kind === 'trash' && name === `${place.vid}-${place.role.position}-trash-back`,
  );

const leftovers = (world: World): readonly string[] => [
  ...observe(world).stray.filter((name) => !isRemoved(world, name)),
  ...[...world.host.operations.values()].map(({ name }) => `${name} is open`),
];

/** The host died behind so many steps, came up again and recovered. */
export const killedAfter = async (world: World, command: Command, steps: number): Promise<World> => {
  world.now += 1000;
  await world.dies(stamped(world, command), behind(steps));
  await world.reboot().recover();
  const left = leftovers(world);
  if (left.length > 0) throw new Error(`left over: ${left.join(', ')}`);
  return world;
};

/** One world for each fault point of a command, rebooted and recovered. */
export const everyCrashOf = async (before: World, command: Command): Promise<readonly World[]> => {
  const worlds: World[] = [];
  before.now += 1000;
  for (let n = 1; ; n++) {
    const world = before.fork();
    if (!(await world.dies(stamped(world, command), crashAt(n)))) return worlds;
    await world.reboot().recover();
    const left = leftovers(world);
    if (left.length > 0) throw new Error(`at fault point ${n} left over: ${left.join(', ')}`);
    worlds.push(world);
  }
};
