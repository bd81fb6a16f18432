import { STOCK_LABELS } from '../../domain/host/stock-labels.ts';
import { parseVmName } from '../../domain/names.ts';
import { DEFAULT_VOLUME_NAMES } from '../../domain/vm/default-volumes.ts';
import { redactedAddress } from './addresses.ts';
import { type Kind, numbered, type Pseudonyms, pseudonyms } from './pseudonyms.ts';

/** What stands in for text that nothing is decided by. */
export const REDACTED = '(redacted)';

/** Names that stock or domtrail itself gives on every host. */
const STOCK = {
  pools: new Set(['default', 'linux-kernel', 'lvm', 'varlibqubes', 'vm-pool']),
  vgs: new Set(['qubes_dom0']),
  thins: new Set(['vm-pool', 'root-pool', 'pool00']),
  labels: new Set(STOCK_LABELS.map(({ name }) => name)),
  users: new Set(['root', 'user', 'domtrail']),
};

const NO_VM = new Set(['', 'None', 'none', 'default', 'dom0', '*']);

/** Values with a meaning of their own that any host may have. */
const PLAIN = new Set(
  '|*|-|None|True|False|true|false|on|off|yes|no|user|root|us++|GuiVM|none|full|rw-only|reload|drop|accept|hvm|pv|pvh|AdminVM|AppVM|DispVM|RemoteVM|StandaloneVM|TemplateVM|ProxyVM|NetVM|00:16:3e:5e:6c:00|pci|block|usb|mic|required|auto-attach|ask-to-attach|standard input|standard output'.split(
    '|',
  ),
);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DISK = /^(file:\d+-\d+|[A-Za-z0-9]{6}(-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6})$/;
const KERNEL = /^([0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?(-[0-9]{1,4})?(\.[0-9]{1,4})?(\.fc[0-9]{2})?)?$/;
/** What a driver puts behind a volume's id to name a disk: `-snap`, `-1700000000-back`, `.img.3@2026-11-22T22:50:45Z`. */
const ROLE = /^([-.](snap|import|back|tmp|new|dirty|precache|trash|img|[0-9]{1,12}(@[0-9T:-]{10,20}Z)?))*$/;

/** Where the file driver keeps what is out of sight; the slashes of an id are plus signs there. */
const HIDDEN = '.domtrail/';

/** The name of something else, for each kind of name. Given twice, the same name has the same one. */
export type Words = {
  readonly names: Pseudonyms;
  readonly vm: (name: string) => string;
  readonly volume: (name: string) => string;
  readonly pool: (name: string) => string;
  readonly volumeGroup: (name: string) => string;
  readonly thinPool: (name: string) => string;
  readonly label: (name: string) => string;
  readonly tag: (name: string) => string;
  readonly kernel: (name: string) => string;
  readonly path: (path: string) => string;
  readonly user: (name: string) => string;
  readonly command: (id: string) => string;
  readonly disk: (id: string) => string;
  readonly boot: (id: string) => string;
  readonly hash: (hex: string) => string;
  readonly backup: (name: string) => string;
  readonly text: (text: string) => string;
  readonly uuid: (text: string) => string;
};

const keeping =
  (kept: ReadonlySet<string> | RegExp, other: (text: string) => string) =>
  (text: string): string =>
    (kept instanceof RegExp ? kept.test(text) : kept.has(text)) ? text : other(text);

const layoutOf = (n: number): string =>
  `${n.toString(26).replace(/./g, (d) => 'abcdefghijklmnopqrstuvwxyz'[Number.parseInt(d, 26)] ?? 'z')}++`;

export const wordsFor = (): Words => {
  const names = pseudonyms();
  const as = (kind: Kind, prefix: string) => (name: string) => numbered(names, kind, name, prefix);
  const numberedVm = as('vm', 'vm-');
  // A name that vm create would refuse must stay one: no path is ever built from it.
  const vm = keeping(NO_VM, (name) => (parseVmName(name).ok ? numberedVm(name) : `${numberedVm(name)} odd`));
  const opaque = as('text', 'text-');
  const special = (text: string): string | null => {
    const address = redactedAddress(names, text);
    if (address !== null) return address;
    const lower = text.toLowerCase();
    if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(lower)) {
      const { n } = names.number('mac', lower);
      return `02:00:00:00:${[n >> 8, n & 255].map((byte) => (byte % 256).toString(16).padStart(2, '0')).join(':')}`;
    }
    return /^[a-zA-Z]+\+[a-zA-Z0-9_-]*\+/.test(text) ? layoutOf(names.number('layout', text).n) : null;
  };
  const text = keeping(PLAIN, (value) => (/^-?[0-9]{1,6}$/.test(value) ? value : (special(value) ?? opaque(value))));
  const uuid = keeping(UUID, text);
  return {
    names,
    vm,
    volume: keeping(DEFAULT_VOLUME_NAMES, as('volume', 'volume-')),
    pool: keeping(STOCK.pools, as('pool', 'pool-')),
    volumeGroup: keeping(STOCK.vgs, as('vg', 'vg-')),
    thinPool: keeping(STOCK.thins, as('thin', 'thin-')),
    label: (name) => (/^label-[0-9]+$/.test(name) ? name : keeping(STOCK.labels, as('label', 'tint-'))(name)),
    tag: (name) => {
      const kept = /^(guivm|audiovm|relayvm|created-by)-(.+)$/.exec(name);
      if (kept) return `${kept[1]}-${vm(kept[2] ?? '')}`;
      return as('tag', /^[A-Za-z0-9_-]+$/.test(name) ? 'tag-' : 'odd tag ')(name);
    },
    kernel: keeping(KERNEL, text),
    path: (path) => (path === '' || path === '-' ? path : as('path', '/path-')(path)),
    user: keeping(STOCK.users, as('user', 'user-')),
    command: keeping(UUID, as('command', 'cmd-')),
    disk: keeping(DISK, as('disk', 'disk-')),
    boot: keeping(UUID, as('boot', 'boot-')),
    hash: (hex) => `${names.number('hash', hex).n}`.padStart(64, '0'),
    backup: as('backup', 'backup-'),
    text,
    uuid,
  };
};

/** `VM:VOLUME`. */
export const volumeKeyIn = (words: Words, key: string): string => {
  const colon = key.lastIndexOf(':');
  const volume = key.slice(colon + 1);
  return `${words.vm(key.slice(0, colon))}:${volume === 'firewall.xml' ? volume : words.volume(volume)}`;
};

const EVERYTHING = new Set(['global properties', 'global', 'host', 'labels', 'pools', 'properties', 'qubes.xml']);

/** What steps, holds and notes are about: a VM, a volume, `pool NAME`, `trash DISK` or everything. */
export const objectIn = (words: Words, text: string): string => {
  if (EVERYTHING.has(text)) return text;
  const named = /^(pool|trash) (.+)$/.exec(text);
  if (named) return `${named[1]} ${named[1] === 'pool' ? words.pool(named[2] ?? '') : words.disk(named[2] ?? '')}`;
  return text.includes(':') ? volumeKeyIn(words, text) : words.vm(text);
};

/**
 * Ids of volumes and names of disks. What they are made of is learned from the volumes' declarations while names are
 * collected; what is none of those gets a name of its own.
 */
export type Storage = {
  readonly learn: (vid: string, key: string) => void;
  readonly vid: (vid: string) => string;
  readonly diskName: (name: string) => string;
};

/** What a redaction knows: other names for names, and how the names of disks are made of them. */
export type Redactor = { readonly words: Words; readonly storage: Storage };

export const storageIn = (words: Words): Storage => {
  const keys = new Map<string, string>();
  const opaque = (name: string): string =>
    numbered(words.names, 'storage', name, /^[A-Za-z0-9_+./-]+$/.test(name) ? 'other/name-' : 'other/odd name-');
  const made = (vid: string, key: string): string | null => {
    const colon = key.lastIndexOf(':');
    const [vm, volume] = [key.slice(0, colon), key.slice(colon + 1)];
    const lvm = /^([^/]+)\/vm-(.+)$/.exec(vid);
    if (lvm && lvm[2] === `${vm}-${volume}`) {
      return `${words.volumeGroup(lvm[1] ?? '')}/vm-${words.vm(vm)}-${words.volume(volume)}`;
    }
    const dir = /^(appvms|vm-templates)\//.exec(vid)?.[1];
    return dir && vid === `${dir}/${vm}/${volume}` ? `${dir}/${words.vm(vm)}/${words.volume(volume)}` : null;
  };
  const vid = (text: string): string => {
    const key = keys.get(text);
    if (key?.endsWith(':kernel')) return words.kernel(text);
    const known = key === undefined ? null : made(text, key);
    if (known !== null) return known;
    const kernel = words.kernel(text);
    return kernel === text ? text : opaque(text);
  };
  const diskName = (name: string): string => {
    if (name.startsWith(HIDDEN)) {
      return `${HIDDEN}${diskName(name.slice(HIDDEN.length).replaceAll('+', '/')).replaceAll('/', '+')}`;
    }
    for (let end = name.length; end > 0; end--) {
      const base = name.slice(0, end);
      if (keys.has(base) && ROLE.test(name.slice(end))) return `${vid(base)}${name.slice(end)}`;
    }
    return opaque(name);
  };
  return { learn: (id, key) => keys.set(id, key), vid, diskName };
};
