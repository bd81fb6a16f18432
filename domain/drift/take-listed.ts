import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import type { PlanBuilder } from '../plan-builder.ts';
import { volumesOf } from '../vm/vm.ts';
import { disksOf } from '../volume/disks.ts';
import type { Volume } from '../volume/volume.ts';
import type { Accepted } from './adopted.ts';
import { drifted } from './chosen.ts';
import type { ListedDifference } from './difference.ts';

const isListed = (host: Host, id: string): boolean =>
  host.trash.has(id as never) ||
  [...host.vms.values()]
    .flatMap(volumesOf)
    .flatMap(disksOf)
    .some(({ disk }) => disk.id === id);

type Replaced = Extract<ListedDifference, { is: 'replaced' }>;

const whyNotTheOther = ({ there }: Replaced, along: readonly ListedDifference[], host: Host): Failure | null => {
  if (!there.usable) return drifted(`${there.name} is listed only: there is nothing to take over`);
  if (there.open) return failure('D_DEVICE_IN_USE', `${there.name} is open`);
  const comesAlong = along.some(({ expected }) => expected.disk.id === there.id);
  return isListed(host, there.id) && !comesAlong ? drifted(`${there.id} is another disk of the log`) : null;
};

/** Why what is there cannot become what the log lists; null when it can. `along`: all that is taken over together. */
export const whyNotTaken = (
  difference: ListedDifference,
  along: readonly ListedDifference[],
  host: Host,
): Failure | null => {
  const { name, kind, disk } = difference.expected;
  if (kind === 'trash')
    return drifted(`${name} is trash: there is nothing to take over`, `domtrail gc ${disk.id} --yes`);
  switch (difference.is) {
    case 'gone':
      return null;
    case 'renamed':
      return drifted(`${name} is there under another name`, `domtrail drift repair ${name}`);
    case 'unusable':
      return drifted(`${name} is listed only: there is nothing to take over`, 'domtrail recover');
    case 'resized':
      return difference.seen.open ? failure('D_DEVICE_IN_USE', `${name} is open`) : null;
    case 'replaced':
      return whyNotTheOther(difference, along, host);
  }
};

const acceptedFrom = (difference: ListedDifference): Accepted | null => {
  if (difference.is !== 'replaced' && difference.is !== 'resized') return null;
  const { disk, name } = difference.expected;
  const { id, bytes, origin } = difference.is === 'replaced' ? difference.there : difference.seen;
  return { was: disk.id, disk: { id, bytes }, name, origin };
};

/** All that is taken over of the disks a volume lists: those exchanged in one fact, for two may have changed places. */
export const takeListed = (volume: Volume, differences: readonly ListedDifference[], builder: PlanBuilder): void => {
  const { key } = volume.spec;
  const mine = differences.filter(({ expected }) => expected.object === key);
  const disks = mine.flatMap((one) => acceptedFrom(one) ?? []);
  if (disks.length > 0) builder.fact({ type: 'DisksAccepted', volume: key, disks });
  for (const { is, expected } of mine) {
    if (is === 'gone') builder.fact({ type: 'DiskLost', volume: key, disk: expected.disk.id, name: expected.name });
  }
};
