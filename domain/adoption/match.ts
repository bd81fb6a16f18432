import type { Host } from '../host/host.ts';
import { volumesOf } from '../vm/vm.ts';
import type { Volume } from '../volume/volume.ts';
import type { NamedAs, SeenDisk, SeenPool, Untouched } from './seen.ts';

/** A disk whose name says that it belongs to a volume the log knows. */
export type Found = { readonly disk: SeenDisk; readonly as: NamedAs };

export type Matched = {
  readonly found: ReadonlyMap<Volume, readonly Found[]>;
  readonly untouched: readonly Untouched[];
};

/** Whether a name could also be read as one of a volume with a longer id: `-` and `.` begin every suffix. */
const mayBeOf = (name: string, { spec }: Volume): boolean =>
  name.startsWith(spec.vid) && ['', '-', '.'].includes(name.charAt(spec.vid.length));

type Owner = { readonly volume: Volume; readonly as: NamedAs } | { readonly why: string };

/**
 * Whose disk a name speaks of. Only a volume with exactly that id counts, so VMs whose names begin alike never get each
 * other's disks (qubes-issues #4680); where two volumes would have a claim, neither does.
 */
const ownerOf = ({ name, named }: SeenDisk, volumes: readonly Volume[]): Owner => {
  if (!named) return { why: 'its name is none that domtrail or stock Qubes gives' };
  const owners = volumes.filter(({ spec }) => spec.vid === named.vid);
  const longer = volumes.find((one) => one.spec.vid.length > named.vid.length && mayBeOf(name, one));
  const [volume] = owners;
  if (longer && volume) return { why: `it may belong to ${longer.spec.key} as well as to ${volume.spec.key}` };
  if (longer) return { why: `its name is not clear enough to give it to ${longer.spec.key}` };
  if (!volume) return { why: `no volume of the log has the id ${named.vid}` };
  if (owners.length > 1) return { why: `${owners.map(({ spec }) => spec.key).join(' and ')} have the same id` };
  return { volume, as: named.as };
};

/** A file may have two names (stock links a template's root.img into its AppVMs); the committed disk's own name counts. */
const mainNameOf = (twins: readonly SeenDisk[], volumes: readonly Volume[]): SeenDisk | undefined =>
  twins.find(({ named }) =>
    volumes.some(({ spec }) => named?.as.kind === 'current' && spec.saveOnStop && spec.vid === named.vid),
  ) ?? twins[0];

const byId = (disks: readonly SeenDisk[]): ReadonlyMap<string, readonly SeenDisk[]> => {
  const twins = new Map<string, SeenDisk[]>();
  for (const disk of disks) twins.set(disk.id, [...(twins.get(disk.id) ?? []), disk]);
  return twins;
};

/** Sorts what was seen in the pools by the volumes of the log. */
export const matchDisks = (host: Host, pools: readonly SeenPool[]): Matched => {
  const all = [...host.vms.values()].flatMap(volumesOf);
  const found = new Map<Volume, Found[]>();
  const untouched: Untouched[] = [];
  for (const { pool, disks } of pools) {
    const volumes = all.filter(({ spec }) => spec.pool === pool);
    const twins = byId(disks);
    for (const disk of disks) {
      const owner = ownerOf(disk, volumes);
      const main = mainNameOf(twins.get(disk.id) ?? [], volumes);
      if ('why' in owner) untouched.push({ name: disk.name, why: owner.why });
      else if (main !== disk)
        untouched.push({ name: disk.name, why: `it is another name of ${main?.name} (a hard link)` });
      else found.set(owner.volume, [...(found.get(owner.volume) ?? []), { disk, as: owner.as }]);
    }
  }
  return { found, untouched };
};
