/**
 * What must be so, told from the commands that were acknowledged and nothing else: this knows neither the product's log
 * nor its code, only what its user was told. A volume's content is the mark in its first sector; "-" is an empty disk.
 */

export type Disk = { readonly mark: string; readonly bytes: number };

/** A volume that is kept at stop. `kept`: its revisions, newest first. */
export type Volume = { readonly current: Disk; readonly kept: readonly Disk[]; readonly session: Disk | null };

/** `removed`: its disks wait in the trash, as they were. */
type Vm = {
  readonly state: 'halted' | 'running' | 'removed';
  readonly volumes: Readonly<Record<string, Volume>>;
};
export type World = Readonly<Record<string, Vm>>;

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** revisions_to_keep of a pool that says nothing */
const KEEP = 1;

const fresh = (bytes: number): Volume => ({ current: { mark: '-', bytes }, kept: [], session: null });

/** The world as `make` in crash.ts leaves it. */
export const FIRST_WORLD: World = {
  tmpl: { state: 'halted', volumes: { root: fresh(10 * GIB), private: fresh(2 * GIB) } },
  work: { state: 'halted', volumes: { private: fresh(2 * GIB) } },
  mail: { state: 'halted', volumes: { private: fresh(2 * GIB) } },
};

/** One order to the worker, in the words of the world. */
export type Order =
  | { readonly do: 'start' | 'stop' | 'remove'; readonly vm: string }
  | { readonly do: 'write'; readonly vm: string; readonly volume: string; readonly mark: string }
  | { readonly do: 'commit' | 'discard' | 'revert'; readonly vm: string; readonly volume: string }
  | { readonly do: 'import'; readonly vm: string; readonly volume: string; readonly mark: string }
  | { readonly do: 'resize'; readonly vm: string; readonly volume: string; readonly bytes: number }
  | { readonly do: 'clone'; readonly vm: string; readonly to: string };

export const IMPORT_BYTES = 8 * MIB;

const keeping = ({ current, kept }: Volume): readonly Disk[] => [current, ...kept].slice(0, KEEP);

const swapped = (volume: Volume, current: Disk): Volume => ({ ...volume, current, kept: keeping(volume) });

const started = (volume: Volume): Volume => ({ ...volume, session: volume.session ?? volume.current });

const committed = (volume: Volume): Volume =>
  volume.session ? { ...swapped(volume, volume.session), session: null } : volume;

const checkpointed = (volume: Volume): Volume => (volume.session ? swapped(volume, volume.session) : volume);

const changedVolume = (volume: Volume, order: Order, running: boolean): Volume => {
  switch (order.do) {
    case 'write':
      return volume.session ? { ...volume, session: { ...volume.session, mark: order.mark } } : volume;
    case 'commit':
      return running ? checkpointed(volume) : committed(volume);
    case 'discard':
      return { ...volume, session: null };
    case 'revert': {
      const [to] = volume.kept;
      return to ? swapped(volume, to) : volume;
    }
    case 'import':
      return swapped(volume, { mark: order.mark, bytes: IMPORT_BYTES });
    case 'resize':
      return { ...volume, current: { ...volume.current, bytes: order.bytes } };
    default:
      return volume;
  }
};

const everyVolume = ({ volumes }: Vm, change: (volume: Volume) => Volume): Vm['volumes'] =>
  Object.fromEntries(Object.entries(volumes).map(([name, volume]) => [name, change(volume)]));

const changedVm = (vm: Vm, order: Order): Vm => {
  if (order.do === 'remove') return { ...vm, state: 'removed' };
  if (order.do === 'start') return { state: 'running', volumes: everyVolume(vm, started) };
  if (order.do === 'stop') return { state: 'halted', volumes: everyVolume(vm, committed) };
  if (!('volume' in order)) return vm;
  const volume = vm.volumes[order.volume];
  if (!volume) throw new Error(`${order.vm} has no ${order.volume}`);
  return { ...vm, volumes: { ...vm.volumes, [order.volume]: changedVolume(volume, order, vm.state === 'running') } };
};

/** The world once an order was carried out. */
export const after = (world: World, order: Order): World => {
  const vm = world[order.vm];
  if (!vm) throw new Error(`there is no ${order.vm}`);
  if (order.do === 'clone') {
    const volumes = everyVolume(vm, ({ current }) => ({ current, kept: [], session: null }));
    return { ...world, [order.to]: { state: 'halted', volumes } };
  }
  return { ...world, [order.vm]: changedVm(vm, order) };
};

/** The world once the host came up again and nothing else happened: no VM runs, sessions wait for somebody to decide. */
const rebooted = (world: World): World =>
  Object.fromEntries(
    Object.entries(world).map(([name, vm]) => [name, vm.state === 'running' ? { ...vm, state: 'halted' } : vm]),
  );

/**
 * What may be found after a crash: everything acknowledged, and the order under way either done or not. A reboot and
 * recovery come in between, so an order that recovery finishes finds the VM already dead.
 */
export const allowedAfter = (world: World, inFlight: Order | null): readonly World[] =>
  inFlight ? [rebooted(world), rebooted(after(world, inFlight))] : [rebooted(world)];
