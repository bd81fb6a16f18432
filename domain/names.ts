import { type Failure, failure } from './failure.ts';
import { err, ok, type Result } from './result.ts';

export type VmName = string & { readonly brand: 'VmName' };
export type VolumeName = string & { readonly brand: 'VolumeName' };
export type PoolName = string & { readonly brand: 'PoolName' };
/** `VM:VOLUME`, the way people and events name a volume. */
export type VolumeKey = string & { readonly brand: 'VolumeKey' };
export type CommandId = string & { readonly brand: 'CommandId' };

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
const refuse = (what: string, text: string, rule: string): Result<never, Failure> =>
  err(failure('D_BAD_INPUT', `${what} ${quoted(text)} is not valid: ${rule}`));

const RESERVED_VM_NAMES = new Set(['none', 'default', 'Domain-0']);

/** The rule of qubes-core-admin's validate_name, which a stock qubesd applies on creation. */
export const parseVmName = (text: string): Result<VmName, Failure> => {
  if (text.length > 31) return refuse('VM name', text, 'at most 31 characters');
  if (!/^[a-zA-Z][a-zA-Z0-9_.-]*$/.test(text)) {
    return refuse('VM name', text, 'a letter, then letters, digits, "_", "." or "-"');
  }
  if (RESERVED_VM_NAMES.has(text) || text.endsWith('-dm')) return refuse('VM name', text, 'the name is reserved');
  return ok(text as VmName);
};

/** LVM refuses these inside any LV name (spec/lvm.md, create), so no volume may carry them. */
const LVM_RESERVED = /_(cdata|cmeta|corig|mlog|mimage|pmspare|rimage|rmeta|tdata|tmeta|vdata|vorigin|imeta|iorig)/;

/** Suffixes that would make one volume's disks look like another's (`-snap`, `-<n>-back`; in files `-dirty`, `-precache`). */
const ROLE_SUFFIX = /(^|-)(snap|import|back|tmp|new|dirty|precache)$/;

export const parseVolumeName = (text: string): Result<VolumeName, Failure> => {
  if (text.length > 31) return refuse('volume name', text, 'at most 31 characters');
  if (!/^[a-zA-Z][a-zA-Z0-9_-]*$/.test(text)) {
    return refuse('volume name', text, 'a letter, then letters, digits, "_" or "-"');
  }
  if (LVM_RESERVED.test(text) || ROLE_SUFFIX.test(text)) return refuse('volume name', text, 'the name is reserved');
  return ok(text as VolumeName);
};

export const parsePoolName = (text: string): Result<PoolName, Failure> =>
  /^[a-zA-Z0-9_][a-zA-Z0-9_.+-]{0,62}$/.test(text)
    ? ok(text as PoolName)
    : refuse('pool name', text, '1 to 63 letters, digits, "_", ".", "+" or "-", not starting with "-" or "."');

/** A VG or LV name as LVM accepts it, never starting with an option's dash. */
export const parseLvmName = (text: string): Result<string, Failure> =>
  /^[a-zA-Z0-9_+.][a-zA-Z0-9_+.-]{0,126}$/.test(text) && text !== '.' && text !== '..'
    ? ok(text)
    : refuse('LVM name', text, 'letters, digits, "_", "+", "." or "-", not starting with "-"');

/** A command id doubles as an LVM tag value and a file name: a narrow alphabet, bounded. */
export const parseCommandId = (text: string): Result<CommandId, Failure> =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(text)
    ? ok(text as CommandId)
    : refuse('command id', text, '1 to 100 letters, digits, "_", "." or "-", starting with a letter or digit');

export const volumeKey = (vm: string, volume: string): VolumeKey => `${vm}:${volume}` as VolumeKey;

export const parseVolumeKey = (
  text: string,
): Result<{ readonly vm: VmName; readonly volume: VolumeName; readonly key: VolumeKey }, Failure> => {
  const colon = text.indexOf(':');
  if (colon < 0) return refuse('volume', text, 'write it as VM:VOLUME');
  const vm = parseVmName(text.slice(0, colon));
  if (!vm.ok) return vm;
  const volume = parseVolumeName(text.slice(colon + 1));
  if (!volume.ok) return volume;
  return ok({ vm: vm.value, volume: volume.value, key: volumeKey(vm.value, volume.value) });
};
