import type { Hold } from './command/events.ts';
import { type Failure, failure } from './failure.ts';
import type { Host } from './host/host.ts';
import { type Vm, volumesOf } from './vm/vm.ts';

const write = (object: string): Hold => ({ object, mode: 'write' });
export const reading = (object: string): Hold => ({ object, mode: 'read' });

/** A volume for itself; its VM may not start, stop or go meanwhile. */
export const holdVolume = (vm: string, key: string): readonly Hold[] => [reading(vm), write(key)];

/** A whole VM with all its volumes. */
export const holdVm = (vm: Vm): readonly Hold[] => [
  write(vm.name),
  ...volumesOf(vm).map((volume) => write(volume.spec.key)),
];

export const holdName = write;

/** The refusal when an unfinished command holds what this one needs. */
export const conflictWith = (host: Host, holds: readonly Hold[]): Failure | null => {
  for (const operation of host.operations.values()) {
    for (const held of operation.holds) {
      const clash = holds.find(
        ({ object, mode }) => object === held.object && (mode === 'write' || held.mode === 'write'),
      );
      if (clash) {
        return failure('D_BUSY', `${clash.object} is held by ${operation.name} (cmd:${operation.command})`, {
          holder: operation.command,
          next: `domtrail show cmd:${operation.command}   or, when it has stopped,   domtrail recover`,
        });
      }
    }
  }
  return null;
};
