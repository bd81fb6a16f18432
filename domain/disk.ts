import type { PoolName } from './names.ts';

/** What never changes about a disk: `lv_uuid` of an LV, inode and birth time of a file (docs/adr/0004). */
export type DiskId = string & { readonly brand: 'DiskId' };

/**
 * What a disk is for. Drivers turn a role into a name; nothing else knows names.
 * - current: the committed state · session: what a running VM writes to, committed or thrown away at stop
 * - scratch: a volatile volume's disk · direct: the committed disk itself, written by the VM (revisions_to_keep = -1)
 * - revision: an older committed state · import: being filled by the user · incoming: being built by a plan
 * - trash: out of the live namespace, waiting to be erased
 * - legacy: a name that stock Qubes gives or gave and we never do · stray: `name`, which only somebody else gave; a disk
 *   only leaves either
 */
export type Role =
  | { readonly kind: 'current' }
  | { readonly kind: 'session' }
  | { readonly kind: 'scratch' }
  | { readonly kind: 'direct' }
  | { readonly kind: 'revision'; readonly number: number; readonly at: number }
  | { readonly kind: 'import' }
  | { readonly kind: 'incoming'; readonly position: number }
  | { readonly kind: 'trash'; readonly position: number }
  | { readonly kind: 'legacy'; readonly as: 'back' | 'tmp' | 'precache' }
  | { readonly kind: 'stray'; readonly name: string };

/** Where a disk is: `vid` is the volume's id inside the pool, as qubes.xml writes it (`VG/vm-work-private`, `appvms/work/private`). */
export type Place = { readonly pool: PoolName; readonly vid: string; readonly role: Role };

export type Disk = { readonly id: DiskId; readonly bytes: number };

/** A disk that exists, or the one that step n of the same plan will have made. */
export type DiskRef = { readonly id: DiskId } | { readonly madeBy: number };

export const roleText = (role: Role): string => {
  switch (role.kind) {
    case 'revision':
      return `revision ${role.number}`;
    case 'incoming':
    case 'trash':
      return `${role.kind} ${role.position}`;
    case 'legacy':
      return `old -${role.as}`;
    case 'stray':
      return role.name;
    default:
      return role.kind;
  }
};
