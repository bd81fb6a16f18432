import type { Order, Volume, World } from './world.ts';

type Random = () => number;

const GIB = 2 ** 30;
const MOST_VMS = 6;

const isDirty = ({ session }: Volume): boolean => session !== null;

const ordersFor = (world: World, name: string, mark: string): readonly Order[] => {
  const vm = world[name];
  if (!vm || vm.state === 'removed') return [];
  const volumes = Object.entries(vm.volumes);
  const each = (make: (volume: string, state: Volume) => readonly Order[]): readonly Order[] =>
    volumes.flatMap(([volume, state]) => make(volume, state));
  if (vm.state === 'running') {
    const write = each((volume) => [{ do: 'write', vm: name, volume, mark }]);
    // Stopping is what people do most, and it has the most steps.
    const stop: Order = { do: 'stop', vm: name };
    return [...write, ...write, stop, stop, stop, ...each((volume) => [{ do: 'commit', vm: name, volume }])];
  }
  const start: Order = { do: 'start', vm: name };
  if (volumes.some(([, state]) => isDirty(state))) {
    const decide = each((volume, state) =>
      isDirty(state)
        ? [
            { do: 'commit', vm: name, volume },
            { do: 'discard', vm: name, volume },
          ]
        : [],
    );
    return [start, ...decide];
  }
  const change = each((volume, { kept, current }) => [
    ...(kept.length > 0 ? [{ do: 'revert' as const, vm: name, volume }] : []),
    { do: 'import', vm: name, volume, mark },
    { do: 'resize', vm: name, volume, bytes: Math.max(current.bytes, GIB) + 2 ** 26 },
  ]);
  return [start, start, start, ...change];
};

const isTemplate = (name: string): boolean => name.startsWith('tmpl');

/** One of the orders that make sense now. `mark` is a word that was never used before. */
export const chooseOrder = (world: World, random: Random, mark: string): Order => {
  const names = Object.keys(world).filter((name) => world[name]?.state !== 'removed');
  const halted = (name: string): boolean =>
    world[name]?.state === 'halted' && !Object.values(world[name]?.volumes ?? {}).some(isDirty);
  const room = names.length < MOST_VMS;
  const orders: Order[] = names.flatMap((name) => ordersFor(world, name, mark));
  for (const name of names.filter((one) => halted(one) && !isTemplate(one))) {
    if (room) orders.push({ do: 'clone', vm: name, to: `copy${mark}` });
    if (name.startsWith('copy')) orders.push({ do: 'remove', vm: name });
  }
  const chosen = orders[Math.floor(random() * orders.length)];
  if (!chosen) throw new Error('there is nothing to do in this world');
  return chosen;
};
