import { reading } from '../holds.ts';
import type { Vm } from '../vm/vm.ts';
import type { Volume, VolumeSpec } from '../volume/volume.ts';
import { hold, refuse, type WayBack } from './way-back.ts';

/** A spec without what has facts of its own. The size of a kept volume goes with its disk. */
const shapeOf = ({ revisionsToKeep: _keep, rw: _rw, ephemeral: _ephemeral, bytes, ...rest }: VolumeSpec) => ({
  ...rest,
  bytes: rest.saveOnStop ? null : bytes,
});

const sameShape = (a: VolumeSpec, b: VolumeSpec): boolean => {
  const [left, right] = [shapeOf(a), shapeOf(b)];
  return (
    left.pool === right.pool && left.vid === right.vid && left.source === right.source && left.bytes === right.bytes
  );
};

const settings = ({ builder }: WayBack, now: VolumeSpec, past: VolumeSpec): void => {
  const volume = now.key;
  if (now.revisionsToKeep !== past.revisionsToKeep) {
    const change = { revisionsToKeep: past.revisionsToKeep };
    builder.fact({ type: 'VolumeChanged', volume, change, before: { revisionsToKeep: now.revisionsToKeep } });
  }
  if (now.rw !== past.rw) {
    builder.fact({ type: 'VolumeChanged', volume, change: { rw: past.rw }, before: { rw: now.rw } });
  }
  if (now.ephemeral !== past.ephemeral) {
    const change = { ephemeral: past.ephemeral };
    builder.fact({ type: 'VolumeChanged', volume, change, before: { ephemeral: now.ephemeral } });
  }
};

const isQuiet = (vm: Vm, { situation }: Volume): boolean => vm.power.is === 'halted' && situation.is !== 'dirty';

/** Gives a volume the settings it had. Those that two disks would contradict each other about need it at rest. */
export const specBack = (way: WayBack, vm: Vm, volume: Volume, past: VolumeSpec): void => {
  const { builder } = way;
  const { spec } = volume;
  const before = builder.size();
  const switches = spec.rw !== past.rw || (spec.revisionsToKeep === -1) !== (past.revisionsToKeep === -1);
  const reshaped = !sameShape(spec, past);
  settings(way, spec, past);
  if (reshaped && !spec.saveOnStop) builder.fact({ type: 'VolumeResourced', volume: spec.key, spec: past });
  if (reshaped && spec.saveOnStop) way.lost.push(`${spec.key} lies elsewhere now, and stays there`);
  if (builder.size() > before) hold(way, reading(vm.name), { object: spec.key, mode: 'write' });
  if ((switches || reshaped) && !isQuiet(vm, volume)) {
    refuse(way, `the settings of ${spec.key} cannot change while it is in use`, `domtrail vm stop ${vm.name}`);
  }
};
