import type { Recorded } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Lineage, Teller } from '../volumes/lineage-svg.ts';

/** A command of the time the report is about. `object`: the VM or volume in it, '' for none; times in epoch milliseconds. */
export type ReportCommand = {
  readonly id: string;
  readonly name: string;
  readonly object: string;
  readonly by: string;
  readonly reason: string | null;
  readonly received: number;
  readonly outcome: 'accepted' | 'rejected' | 'completed' | 'failed' | 'abandoned';
  readonly failure: Failure | null;
  readonly first: number;
  readonly last: number;
};

/** How full a pool was when a command looked, in bytes. */
export type PoolSample = {
  readonly pool: string;
  readonly time: number;
  readonly position: number;
  readonly bytes: number;
  readonly usedBytes: number;
  readonly metadataBytes: number | null;
  readonly metadataUsedBytes: number | null;
};

/** `anchor`: what the picture is called in the page, of harmless letters. */
export type ReportedVolume = Lineage & { readonly vm: string; readonly anchor: string };

/** Times as the report's reader is to see them. */
export type Clock = {
  readonly zone: string;
  readonly day: (ms: number) => string;
  readonly time: (ms: number) => string;
  readonly iso: (ms: number) => string;
};

/** Everything a report is drawn from, gathered; the drawing adds nothing, so the same of it gives the same bytes. */
export type Report = {
  readonly host: string | null;
  readonly ledger: string;
  readonly position: number;
  readonly time: number | null;
  readonly head: string;
  /** events before `after` are left out; `upTo` is the last one in it */
  readonly after: number;
  readonly upTo: number;
  readonly events: readonly Recorded[];
  /** oldest first */
  readonly commands: readonly ReportCommand[];
  readonly samples: readonly PoolSample[];
  readonly volumes: readonly ReportedVolume[];
  /** how many volumes with disks have no picture here */
  readonly volumesLeftOut: number;
  readonly volumesWithoutDisk: readonly string[];
  readonly clock: Clock;
  readonly tell: Teller;
};
