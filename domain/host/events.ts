import type { AdoptionHostFact } from '../adoption/events.ts';
import type { Disk, DiskId, Place } from '../disk.ts';
import type { DriftFact } from '../drift/events.ts';

export type Label = { readonly name: string; readonly index: number; readonly color: string };

/** Something that stock does not take over from a document: where it stood, what it said, and why it is dropped. */
export type Loss = { readonly object: string; readonly what: string; readonly text: string; readonly why: string };

export type HostFact =
  | AdoptionHostFact
  | DriftFact
  | {
      readonly type: 'HostInitialised';
      readonly labels: readonly Label[];
      readonly properties: Readonly<Record<string, string>>;
    }
  /** A document of stock's took the place of what `init` made. `lost`: what stock drops when it loads such a document. */
  | {
      readonly type: 'HostAdopted';
      readonly labels: readonly Label[];
      readonly properties: Readonly<Record<string, string>>;
      readonly digest: string;
      readonly lost: readonly Loss[];
    }
  | { readonly type: 'LabelCreated'; readonly label: Label }
  | { readonly type: 'LabelRemoved'; readonly label: Label }
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
  /** a disk came back from the trash; a fact of its volume says as what */
  | { readonly type: 'DiskReturned'; readonly disk: DiskId; readonly from: string }
  | { readonly type: 'DiskErased'; readonly disk: DiskId; readonly from: string };

/** released: a snapshot that only kept a state while it was backed up */
export type TrashReason =
  | 'retention'
  | 'discarded'
  | 'removed'
  | 'undone'
  | 'not-kept'
  | 'superseded'
  | 'leftover'
  | 'released';
