import type { Operation } from '../../domain/command/operation.ts';
import { madeSoFar } from '../../domain/command/operation.ts';
import type { Disk } from '../../domain/disk.ts';
import type { DomainEvent } from '../../domain/event.ts';
import type { Host } from '../../domain/host/host.ts';
import { type Deed, resolve } from '../../domain/steps.ts';

/** The disk an event brings into its volume, if that does not have it yet; null for events that never do. */
export const broughtIn = (event: DomainEvent): Disk | null => {
  switch (event.type) {
    case 'SessionOpened':
      return event.session.disk;
    case 'ScratchOpened':
    case 'DiskAdopted':
      return event.disk;
    case 'VolumeProvisioned':
    case 'VolumeRestored':
    case 'SessionCheckpointed':
    case 'VolumeReverted':
    case 'VolumeImported':
    case 'VolumeCloned':
      return event.current;
    case 'VolumeResized':
      return event.disk;
    default:
      return null;
  }
};

/** What people call the content's origin: a path, another volume, a revision. */
export const sourceOf = (event: DomainEvent): string | null => {
  switch (event.type) {
    case 'VolumeImported':
    case 'VolumeRestored':
    case 'VolumeCloned':
      return event.from;
    case 'VolumeReverted':
      return event.to;
    case 'DiskAdopted':
      return event.name;
    default:
      return null;
  }
};

const contentOf = (deed: Deed, operation: Operation): string | null => {
  const made = madeSoFar(operation);
  if (deed.do === 'snapshot') return resolve(deed.of, made);
  return deed.do === 'fill' && deed.from.kind === 'disk' ? resolve(deed.from.disk, made) : null;
};

/** From which disk a command copied another: its plan says so, and is still open when the facts of its steps come. */
export const copiedFrom = (host: Host, command: string, disk: string): string | null => {
  const operation = host.operations.get(command);
  if (!operation) return null;
  for (const { n, deed } of operation.plan.main) {
    const origin = operation.done[n]?.id === disk ? contentOf(deed, operation) : null;
    if (origin !== null) return origin;
  }
  return null;
};
