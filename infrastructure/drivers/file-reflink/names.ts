import type { SeenDisk } from '../../../domain/adoption/seen.ts';
import type { Role } from '../../../domain/disk.ts';

/** Trash, disks under construction, temporaries and markers lie here, out of sight of the stock tools. */
export const HIDDEN = '.domtrail';

/** The directories of the layout, one for TemplateVMs and one for all other classes (qubes-core-admin, reflink.py). */
export const PREFIXES = ['appvms', 'vm-templates'] as const;

const VID = /^(?:appvms|vm-templates)\/[a-zA-Z][a-zA-Z0-9_.-]*\/[a-zA-Z][a-zA-Z0-9_-]*$/;

/** A volume with such an end would share its files with another volume: `x-dirty.img` is the session of `x`. */
const TAKEN_SUFFIX = /-(?:dirty|import|precache)$/;

/** True for ids this layout can hold. Nothing that matches leaves the pool's directory. */
export const isVid = (vid: string): boolean => VID.test(vid) && !TAKEN_SUFFIX.test(vid);

/** Session, scratch and direct disks share a name: a volume has one of them at most. */
export type Slot = Exclude<Role, { readonly kind: 'session' | 'scratch' | 'direct' }> | { readonly kind: 'running' };

export const slotOf = (role: Role): Slot =>
  role.kind === 'session' || role.kind === 'scratch' || role.kind === 'direct' ? { kind: 'running' } : role;

/** 9999-12-31T23:59:59Z: later times need a year of more than four digits. */
const LATEST = 253_402_300_799;

const timeText = (at: number): string => {
  if (!Number.isInteger(at) || at < 0 || at > LATEST) throw new RangeError(`${at} is no time a revision can carry`);
  return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
};

/** A file in a VM's directory, whatever it is called: what somebody renamed is renamed back from there. */
const STRAY = /^(?:appvms|vm-templates)\/(?!\.\.?\/)[^/\0]+\/(?!\.\.?$)[^/\0]+$/;

const strayName = (name: string): string => {
  if (!STRAY.test(name)) throw new Error(`${JSON.stringify(name)} is no file of a VM in a file pool`);
  return name;
};

/**
 * The path of a volume's disk, relative to the pool's directory. Throws on an id that `isVid` refuses: ids are checked
 * where they are made, so such a one is a bug.
 */
export const imageName = (vid: string, role: Role): string => {
  if (!isVid(vid)) throw new Error(`${JSON.stringify(vid)} is not the id of a volume in a file pool`);
  const slot = slotOf(role);
  const flat = vid.replaceAll('/', '+');
  switch (slot.kind) {
    case 'current':
      return `${vid}.img`;
    case 'running':
      return `${vid}-dirty.img`;
    case 'import':
      return `${vid}-import.img`;
    case 'revision':
      return `${vid}.img.${slot.number}@${timeText(slot.at)}`;
    case 'incoming':
      return `${HIDDEN}/${flat}-${slot.position}-new-import`;
    case 'trash':
      return `${HIDDEN}/${flat}-${slot.position}-trash-back`;
    case 'legacy':
      if (slot.as !== 'precache') throw new RangeError(`no file of stock's was ever called -${slot.as}`);
      return `${vid}-precache.img`;
    case 'stray':
      return strayName(slot.name);
  }
};

export type ParsedName = { readonly vid: string; readonly slot: Exclude<Slot, { readonly kind: 'stray' }> };

const LIVE = /^(.+?)(-dirty|-import|-precache)?\.img$/;
const REVISION = /^(.+)\.img\.([1-9]\d{0,14})@(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/;
const HIDDEN_IMAGE = /^\.domtrail\/([^/]+)-(0|[1-9]\d{0,15})-(new-import|trash-back)$/;

const parseRevision = (name: string): ParsedName | null => {
  const [, vid, number, time] = REVISION.exec(name) ?? [];
  const at = Date.parse(time ?? '') / 1000;
  // Date.parse turns February 30 into March 2: such a name is not one of ours.
  if (!vid || Number.isNaN(at) || timeText(at) !== time) return null;
  return { vid, slot: { kind: 'revision', number: Number(number), at } };
};

const parseHidden = (name: string): ParsedName | null => {
  const [, flat, digits, what] = HIDDEN_IMAGE.exec(name) ?? [];
  if (!flat) return null;
  const kind = what === 'new-import' ? 'incoming' : 'trash';
  return { vid: flat.replaceAll('+', '/'), slot: { kind, position: Number(digits) } };
};

const parseLive = (name: string): ParsedName | null => {
  const [, vid, suffix] = LIVE.exec(name) ?? [];
  if (!vid) return null;
  switch (suffix) {
    case '-dirty':
      return { vid, slot: { kind: 'running' } };
    case '-import':
      return { vid, slot: { kind: 'import' } };
    case '-precache':
      return { vid, slot: { kind: 'legacy', as: 'precache' } };
    default:
      return { vid, slot: { kind: 'current' } };
  }
};

/** The volume and slot a relative path stands for; null for a file that `imageName` never gives. */
export const parseImageName = (name: string): ParsedName | null => {
  const parsed = parseHidden(name) ?? parseRevision(name) ?? parseLive(name);
  return parsed && isVid(parsed.vid) ? parsed : null;
};

/** The same for an adoption: the file a VM ran on is taken for its session. */
export const namedInFiles = (name: string): SeenDisk['named'] => {
  const parsed = parseImageName(name);
  if (!parsed) return null;
  const { vid, slot } = parsed;
  return { vid, as: slot.kind === 'running' ? { kind: 'session' } : slot };
};

/** True for files in a VM's directory that are disks, ours or somebody else's; `firewall.xml` and the like are not. */
export const looksLikeImage = (file: string): boolean => /\.img(?:\.\d+@[0-9T:-]+Z)?$/.test(file);

export type StepKey = { readonly command: string; readonly step: number };

/** Whose bytes are not complete yet. The process id keeps a killed attempt's orphaned `cp` out of the next attempt's file. */
export const temporaryName = ({ command, step }: StepKey, pid: number): string =>
  `${HIDDEN}/${command}.${step}.${pid}.tmp`;

export const markerName = ({ command, step }: StepKey): string => `${HIDDEN}/${command}.${step}.json`;

export const markerTemporaryName = ({ command, step }: StepKey, pid: number): string =>
  `${HIDDEN}/${command}.${step}.${pid}.json.tmp`;

/** The step whose marker a file in the hidden directory is; null for other files. */
export const parseMarkerName = (file: string): StepKey | null => {
  const [, command, step] = /^(.+)\.(\d+)\.json$/.exec(file) ?? [];
  return command ? { command, step: Number(step) } : null;
};

const behind = (file: string, command: string): string | null =>
  file.startsWith(`${command}.`) ? file.slice(command.length + 1) : null;

/** Temporaries of one step, of whichever attempt. */
export const isTemporaryOf = (file: string, { command, step }: StepKey): boolean =>
  new RegExp(`^${step}\\.\\d+\\.(?:json\\.)?tmp$`).test(behind(file, command) ?? '');

/** Markers and temporaries of a command. Never those of a command whose id merely begins alike (`a` and `a.1`). */
export const isLeavingOf = (file: string, command: string): boolean =>
  /^\d+\.(?:json|\d+\.(?:json\.)?tmp)$/.test(behind(file, command) ?? '');
