import { lvNamesIn } from '../../domain/adoption/testimony.ts';
import type { DomainEvent } from '../../domain/event.ts';

const withVm = (object: string): readonly string[] => {
  const colon = object.lastIndexOf(':');
  return colon > 0 ? [object, object.slice(0, colon)] : [object];
};

const heldObject = (object: string): readonly string[] =>
  object === 'global properties' ? ['global'] : withVm(object);

/**
 * What an event speaks of: `VM`, `VM:VOLUME`, `pool NAME`, `global`. A volume's event is about its VM too. Events that only
 * know their command give nothing here.
 */
export const objectsOf = (event: DomainEvent): readonly string[] => {
  switch (event.type) {
    case 'CommandAccepted':
      return event.holds.filter(({ mode }) => mode === 'write').flatMap(({ object }) => heldObject(object));
    case 'StepDone':
    case 'StepFailed':
      return withVm(event.object);
    case 'VolumeCloned':
      return [...withVm(event.volume), ...withVm(event.from)];
    case 'VmCreated':
      return [event.vm, ...event.volumes.map(({ key }) => key)];
    case 'LvmTestified':
      return [
        ...new Set([
          `pool ${event.pool}`,
          ...event.volumes.flatMap(withVm),
          ...lvNamesIn(event).map((name) => `lv ${name}`),
        ]),
      ];
    case 'PoolAdded':
    case 'PoolRemoved':
    case 'PoolMoved':
    case 'PoolReserveSet':
    case 'PoolWounded':
    case 'PoolMended':
      return [`pool ${event.pool}`];
    case 'DiskTrashed':
    case 'DiskErased':
    case 'TrashReidentified':
      return withVm(event.from);
    case 'DriftIgnored':
    case 'DocumentOverruled':
    case 'DriftRepaired':
    case 'DriftNoticed':
      return event.about === null ? ['global'] : withVm(event.about);
    case 'HostInitialised':
    case 'HostAdopted':
    case 'HostRebooted':
    case 'LabelCreated':
    case 'LabelRemoved':
    case 'StorageAdopted':
    case 'GlobalPropertySet':
      return ['global'];
    default:
      if ('volume' in event) return withVm(event.volume);
      return 'vm' in event ? [event.vm] : [];
  }
};

/**
 * Whether an event concerns everything its command holds: how the command went, and the end of a VM with all it had. A
 * command that simply ran to its end is told by its steps and facts.
 */
export const concernsAllHeld = (event: DomainEvent): boolean => {
  switch (event.type) {
    case 'CommandFailed':
    case 'CommandResumed':
    case 'UndoPlanned':
    case 'CommandAbandoned':
    case 'VmRemoved':
      return true;
    case 'CommandCompleted':
      return event.leftover.length > 0;
    default:
      return false;
  }
};
