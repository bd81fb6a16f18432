import type { NamedAs } from '../adoption/seen.ts';
import type { CommandEvent, StepEvent } from '../command/events.ts';
import type { Operation } from '../command/operation.ts';
import type { DiskId, Role } from '../disk.ts';
import type { Recorded } from '../event.ts';
import type { Host } from '../host/host.ts';
import type { Deed } from '../steps.ts';
import type { Vm } from '../vm/vm.ts';
import type { VolumeFact } from '../volume/events.ts';
import type { Volume } from '../volume/volume.ts';
import type { Shelf } from './shelf.ts';

/** What a disk is for, as far as its name tells: current, scratch and direct disks share one name on LVM. */
export type Slot = NamedAs['kind'];

export const slotOf = (role: Role): Slot => {
  if (role.kind === 'stray') return 'legacy';
  return role.kind === 'scratch' || role.kind === 'direct' ? 'current' : role.kind;
};

/** A disk where it lies: by the recorded steps, or as a driver saw it. `erased`: it was discarded, or began to be. */
export type Lying = {
  readonly id: DiskId;
  readonly slot: Slot;
  readonly origin: DiskId | null;
  readonly erased: boolean;
  /** false: listed, but the kernel never made it */
  readonly usable: boolean;
};

type Decision = Extract<CommandEvent, { readonly type: 'CommandAccepted' | 'CommandRejected' }>;

/** A command was decided; `host` is the state it met, `boot` the boot that the log last spoke of. */
export type Decided = { readonly event: Decision; readonly host: Host; readonly boot: string | null };

/** A step was recorded; `host` and `shelf` are as before it. */
export type Stepped = {
  readonly event: StepEvent;
  readonly deed: Deed;
  readonly operation: Operation;
  readonly disk: DiskId | null;
  readonly host: Host;
  readonly shelf: Shelf;
};

/** A fact about a volume; `before` is the volume it met, `host` and `shelf` are as before it. */
export type Befallen = {
  readonly fact: VolumeFact;
  readonly before: Volume;
  readonly vm: Vm;
  readonly host: Host;
  readonly shelf: Shelf;
  readonly boot: string | null;
};

/** A volume that no command under way holds. `lying` null: nothing is known about its storage. */
export type Resting = {
  readonly volume: Volume;
  readonly vm: Vm;
  readonly host: Host;
  readonly lying: readonly Lying[] | null;
};

/**
 * A sentence that must always hold, and how it is checked: when a command is decided, a step or a fact recorded, or
 * while a volume rests. Each check gives what is wrong, or null. Pure, and about what the moment touches only, so that a
 * million events can be checked one by one.
 */
export type Invariant = {
  readonly name: string;
  readonly sentence: string;
  readonly decision?: (decided: Decided) => string | null;
  readonly step?: (stepped: Stepped) => string | null;
  readonly fact?: (befallen: Befallen) => string | null;
  readonly rest?: (resting: Resting) => string | null;
};

/** An invariant that does not hold after an event. */
export type Breach = {
  readonly invariant: string;
  readonly object: string;
  readonly says: string;
  readonly recorded: Recorded;
};
