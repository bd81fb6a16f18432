import { stepsOf } from '../decision.ts';
import type { DiskId } from '../disk.ts';
import type { Host } from '../host/host.ts';
import type { Deed, Plan } from '../steps.ts';
import { volumesOf } from '../vm/vm.ts';
import { disksOf } from '../volume/disks.ts';
import type { Decided, Invariant } from './invariant.ts';

/** The disk a deed changes, when it exists already. */
const changedBy = (deed: Deed): DiskId | null => {
  switch (deed.do) {
    case 'move':
    case 'resize':
    case 'fill':
    case 'erase':
      return 'id' in deed.disk ? deed.disk.id : null;
    default:
      return null;
  }
};

const planOf = ({ event }: Decided): Plan | null => (event.type === 'CommandAccepted' ? event.plan : null);

/** Looks at the VM of the step first: there it nearly always is. */
const ownerOf = (host: Host, id: DiskId, object: string): string | null => {
  const named = host.vms.get(object.split(':')[0] as never);
  for (const vm of named ? [named, ...host.vms.values()] : host.vms.values()) {
    const owner = volumesOf(vm).find((volume) => disksOf(volume).some(({ disk }) => disk.id === id));
    if (owner) return owner.spec.key;
  }
  return host.trash.get(id)?.from ?? null;
};

export const onlyItsOwnDisks: Invariant = {
  name: 'only-its-own-disks',
  sentence: 'A step changes disks of the volume it is about, and no others, however alike their names are.',
  decision: (decided) => {
    const plan = planOf(decided);
    for (const { n, object, deed } of plan ? stepsOf(plan) : []) {
      const id = object.includes(':') ? changedBy(deed) : null;
      const owner = id && ownerOf(decided.host, id, object);
      if (owner && owner !== object) return `step ${n} of ${object} would ${deed.do} ${id}, a disk of ${owner}`;
    }
    return null;
  },
};

export const erasedUnderAnotherName: Invariant = {
  name: 'erased-under-another-name',
  sentence: 'A disk is erased only once it has left the live names: first it becomes trash, then it goes.',
  decision: (decided) => {
    const plan = planOf(decided);
    for (const { n, object, deed } of plan ? stepsOf(plan) : []) {
      if (deed.do !== 'erase' || deed.at.role.kind === 'trash') continue;
      return `step ${n} would erase the ${deed.at.role.kind} of ${object} under its own name`;
    }
    return null;
  },
};

export const nothingBlocksForEver: Invariant = {
  name: 'nothing-blocks-for-ever',
  sentence:
    'A command is refused as busy only for the sake of one that can still end: not of one that an earlier boot left.',
  decision: ({ event, host, boot }) => {
    if (event.type !== 'CommandRejected' || event.failure.code !== 'D_BUSY') return null;
    const holder = host.operations.get(event.failure.holder ?? '');
    if (!holder || boot === null || holder.owner.bootId === boot) return null;
    return `${event.name} was refused because of ${holder.name} (cmd:${holder.command}), whose process died in an earlier boot`;
  },
};
