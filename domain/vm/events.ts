import type { VmName } from '../names.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import type { Assignment, Devices } from './devices.ts';
import type { VmClass } from './vm.ts';

export type VmFact =
  | {
      readonly type: 'VmCreated';
      readonly vm: VmName;
      readonly class: VmClass;
      readonly properties: Readonly<Record<string, string>>;
      readonly features: Readonly<Record<string, string>>;
      readonly featureOrder?: readonly string[];
      readonly tags: readonly string[];
      readonly devices?: Devices;
      readonly volumes: readonly VolumeSpec[];
      readonly clonedFrom: VmName | null;
    }
  /** the VM just created comes from a backup, where it was called `was` */
  | {
      readonly type: 'VmRestored';
      readonly vm: VmName;
      readonly backup: string;
      readonly backupId: string;
      readonly was: string;
    }
  /** `bytes` of all its files; `whole` false: some of them could not be read */
  | {
      readonly type: 'VmBackedUp';
      readonly vm: VmName;
      readonly backup: string;
      readonly backupId: string;
      readonly files: number;
      readonly bytes: number;
      readonly whole: boolean;
    }
  | { readonly type: 'VmRemoved'; readonly vm: VmName }
  | { readonly type: 'VmStarted'; readonly vm: VmName; readonly bootId: string }
  | { readonly type: 'VmStopped'; readonly vm: VmName; readonly how: 'shutdown' | 'kill' | 'discard' | 'host-reboot' }
  | {
      readonly type: 'PropertySet';
      readonly vm: VmName;
      readonly name: string;
      readonly value: string | null;
      readonly before: string | null;
    }
  | {
      readonly type: 'FeatureSet';
      readonly vm: VmName;
      readonly name: string;
      readonly value: string | null;
      readonly before: string | null;
    }
  /** null: it has none any more */
  | { readonly type: 'NotesSet'; readonly vm: VmName; readonly text: string | null }
  | { readonly type: 'TagSet'; readonly vm: VmName; readonly name: string; readonly present: boolean }
  | {
      readonly type: 'DeviceAssigned';
      readonly vm: VmName;
      readonly class: string;
      readonly device: Assignment;
      readonly before: Assignment | null;
    }
  | {
      readonly type: 'DeviceUnassigned';
      readonly vm: VmName;
      readonly class: string;
      readonly device: Assignment;
    };
