import type { AdoptionHostFact } from '../adoption/events.ts';
import type { Disk, DiskId, Place } from '../disk.ts';

export type Label = { readonly name: string; readonly index: number; readonly color: string };

export type HostFact =
  | AdoptionHostFact
  | {
      readonly type: 'HostInitialised';
      readonly labels: readonly Label[];
      readonly properties: Readonly<Record<string, string>>;
    }
  /** The running VMs of the log did not survive: their facts follow in the same command. */
  | { readonly type: 'HostRebooted'; readonly bootId: string }
  | {
      readonly type: 'GlobalPropertySet';
      readonly name: string;
      readonly value: string | null;
      readonly before: string | null;
    }
  /** A disk left the live namespace; `gc` or the same plan erases it. */
  | {
      readonly type: 'DiskTrashed';
      readonly disk: Disk;
      readonly place: Place;
      readonly from: string;
      readonly why: TrashReason;
    }
  | { readonly type: 'DiskErased'; readonly disk: DiskId; readonly from: string };

export type TrashReason = 'retention' | 'discarded' | 'removed' | 'undone' | 'not-kept' | 'superseded' | 'leftover';
