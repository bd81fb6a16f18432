import type { CommandEvent } from './command/events.ts';
import type { FirewallFact } from './firewall/events.ts';
import type { HostFact } from './host/events.ts';
import type { PoolFact } from './pool/events.ts';
import type { VmFact } from './vm/events.ts';
import type { VolumeFact } from './volume/events.ts';

/** What became true of the host. Past tense, facts only. */
export type Fact = HostFact | PoolFact | VmFact | VolumeFact | FirewallFact;

/** Everything the log holds: facts, and the course of the commands that led to them. */
export type DomainEvent = Fact | CommandEvent;

/** An event as recorded. `position` is global and gapless, `time` is epoch milliseconds. */
export type Recorded<E = DomainEvent> = {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly command: string;
  readonly time: number;
  readonly event: E;
};

const TRASH_FACTS: ReadonlySet<string> = new Set(['DiskTrashed', 'DiskReturned', 'DiskErased', 'TrashReidentified']);

/** The stream an event belongs to: one per command, VM, volume and pool, and one for the host. */
export const streamOf = (event: DomainEvent, command: string): string => {
  if ('volume' in event && typeof event.volume === 'string') return `volume/${event.volume}`;
  if ('vm' in event && typeof event.vm === 'string') return `vm/${event.vm}`;
  if ('pool' in event && typeof event.pool === 'string') return `pool/${event.pool}`;
  if ('from' in event && TRASH_FACTS.has(event.type)) return `volume/${event.from}`;
  if (event.type.startsWith('Command') || event.type.startsWith('Step') || event.type.startsWith('Undo')) {
    return `command/${command}`;
  }
  return 'host';
};
