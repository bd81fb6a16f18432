import type { NamedAs, SeenDisk } from '../../../domain/adoption/seen.ts';
import type { Role } from '../../../domain/disk.ts';

/** A VG as LVM accepts it, then `vm-NAME-VOLUME` with the letters that VM and volume names may have. */
const VID = /^[a-zA-Z0-9_+.][a-zA-Z0-9_+.-]*\/vm-[a-zA-Z][a-zA-Z0-9_.-]*-[a-zA-Z][a-zA-Z0-9_-]*$/;

/**
 * Ends that would make a volume's committed disk look like another volume's disk in some role. `-7-new` is among them
 * because `-7-new-import` is what a disk under construction is called.
 */
const TAKEN_END = /-(?:snap|import|back|tmp|\d+-new)$/;

/** True for ids whose disks this driver can name without ambiguity. */
export const isVid = (vid: string): boolean => VID.test(vid) && !TAKEN_END.test(vid);

/** What a name tells about a role: current, scratch and direct disks share one name, and a revision's number is not in it. */
export type Slot =
  | { readonly kind: 'legacy'; readonly as: 'back' | 'tmp' }
  | { readonly kind: 'current' | 'session' | 'import' }
  | { readonly kind: 'revision'; readonly at: number }
  | { readonly kind: 'incoming' | 'trash'; readonly position: number };

const LV_NAME = /^[a-zA-Z0-9_+.][a-zA-Z0-9_+.-]*\/[a-zA-Z0-9_+.][a-zA-Z0-9_+.-]*$/;

/** Any name that LVM lets an LV of the same volume group have. */
const strayName = (vid: string, name: string): string => {
  const sameGroup = name.startsWith(vid.slice(0, vid.indexOf('/') + 1));
  if (!sameGroup || !LV_NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no LV beside ${vid}`);
  return name;
};

const suffixOf = (role: Exclude<Role, { readonly kind: 'stray' }>): string => {
  switch (role.kind) {
    case 'current':
    case 'scratch':
    case 'direct':
      return '';
    case 'session':
      return '-snap';
    case 'import':
      return '-import';
    case 'revision':
      return `-${role.at}-back`;
    case 'incoming':
      return `-${role.position}-new-import`;
    case 'trash':
      return `-${role.position}-trash-back`;
    case 'legacy':
      if (role.as === 'precache') throw new RangeError('LVM knows no precache');
      return `-${role.as}`;
  }
};

/**
 * `VG/LV` of a volume's disk, as stock Qubes tools expect it; disks under construction and trash are hidden from them.
 * Throws on an id that `isVid` refuses: ids are checked where they are made, so such a one is a bug.
 */
export const lvNameOf = (vid: string, role: Role): string => {
  if (!isVid(vid)) throw new Error(`${JSON.stringify(vid)} is not the id of a volume in an LVM pool`);
  return role.kind === 'stray' ? strayName(vid, role.name) : `${vid}${suffixOf(role)}`;
};

/** Digits without leading zeros that a number can hold exactly: anything else is not a name we make. */
const exact = (digits: string | undefined): number | null => {
  const value = Number(digits);
  return digits !== undefined && Number.isSafeInteger(value) && `${value}` === digits ? value : null;
};

const BUILT = /^(.+)-(\d+)-(new-import|trash-back)$/;
const REVISION = /^(.+)-(\d+)-back$/;
const LEGACY = /^(.+)-(back|tmp)$/;
const PLAIN = /^(.+?)(-snap|-import)?$/;

type Split = { readonly vid: string; readonly slot: Slot };

const splitNumbered = (name: string): Split | null | undefined => {
  const built = BUILT.exec(name);
  const revision = built ? null : REVISION.exec(name);
  const [, vid, digits, end] = built ?? revision ?? [];
  if (vid === undefined) return undefined;
  const number = exact(digits);
  if (number === null) return null;
  if (revision) return { vid, slot: { kind: 'revision', at: number } };
  return { vid, slot: { kind: end === 'new-import' ? 'incoming' : 'trash', position: number } };
};

/** Names of stock's first years: the one revision, and the committed disk in the middle of a commit. */
const splitLegacy = (name: string): Split | undefined => {
  const [, vid, as] = LEGACY.exec(name) ?? [];
  return vid === undefined ? undefined : { vid, slot: { kind: 'legacy', as: as === 'tmp' ? 'tmp' : 'back' } };
};

const splitPlain = (name: string): Split | null => {
  const [, vid, end] = PLAIN.exec(name) ?? [];
  if (vid === undefined) return null;
  return { vid, slot: { kind: end === '-snap' ? 'session' : end === '-import' ? 'import' : 'current' } };
};

/**
 * The volume and slot that `VG/LV` stands for; null for a name that `lvNameOf` never gives. Reading from the end makes
 * this safe where one VM's name begins like another's volume (qubes-issues #4680): `vm-w-private-root` is no disk of
 * `vm-w-private`, and `vm-w-private-1-back` is one whatever VMs exist.
 */
export const parseLvName = (name: string): Split | null => {
  const numbered = splitNumbered(name);
  const split = numbered === undefined ? (splitLegacy(name) ?? splitPlain(name)) : numbered;
  return split && isVid(split.vid) ? split : null;
};

/** The same for an adoption: an LVM name does not tell a revision's number. */
export const namedInLvm = (name: string): SeenDisk['named'] => {
  const split = parseLvName(name);
  if (!split) return null;
  const { vid, slot } = split;
  return slot.kind === 'revision'
    ? { vid, as: { kind: 'revision', number: null, at: slot.at } }
    : { vid, as: slot as NamedAs };
};

const escaped = (part: string): string => part.replaceAll('-', '--');

/** The name device-mapper gives to `VG/LV`: dashes doubled, one between the two. */
export const dmNameOf = (name: string): string => {
  const slash = name.indexOf('/');
  return `${escaped(name.slice(0, slash))}-${escaped(name.slice(slash + 1))}`;
};

export const devicePathOf = (name: string): string => `/dev/mapper/${dmNameOf(name)}`;

/** The device of a thin pool that knows the kernel's side of it. */
export const poolDeviceOf = (volumeGroup: string, thinPool: string): string =>
  `${dmNameOf(`${volumeGroup}/${thinPool}`)}-tpool`;

/** Where a thin pool keeps what it knows; LVM gives the hidden LV this name and no other. */
export const metadataNameOf = (volumeGroup: string, thinPool: string): string =>
  dmNameOf(`${volumeGroup}/${thinPool}_tmeta`);
