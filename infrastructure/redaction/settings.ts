import { globalProperty, type PropertyKind, vmProperty, vmPropertyNames } from '../../domain/vm/property-table.ts';
import type { VmClass } from '../../domain/vm/vm.ts';
import type { Words } from './words.ts';

const CLASSES: readonly VmClass[] = ['AdminVM', 'AppVM', 'DispVM', 'RemoteVM', 'StandaloneVM', 'TemplateVM'];

const PROPERTIES: ReadonlyMap<string, PropertyKind> = new Map(
  CLASSES.flatMap((one) => vmPropertyNames(one).map((name) => [name, vmProperty(one, name) ?? 'text'] as const)),
);

const kindOf = (name: string): PropertyKind | null => PROPERTIES.get(name) ?? globalProperty(name);

export const propertyName = (words: Words, name: string): string => (kindOf(name) === null ? words.text(name) : name);

const NUMBERS: ReadonlySet<string> = new Set(['int', 'positive', 'not-negative', 'qid']);

/** The value of a property, by what kind of value it takes; one it would not take is text. */
export const propertyValue = (words: Words, name: string, value: string): string => {
  const kind = kindOf(name) ?? 'text';
  if (kind === 'vm' || name === 'name') return words.vm(value);
  if (kind === 'pool') return words.pool(value);
  if (kind === 'label') return words.label(value);
  if (kind === 'kernel' || name === 'default_kernel') return words.kernel(value);
  if (kind === 'uuid') return words.uuid(value);
  if (NUMBERS.has(kind) && /^\s*[+-]?[0-9_]{1,16}\s*$/.test(value)) return value;
  if (kind === 'denied' && /^([bump*][0-9a-f*]{6})*$/.test(value)) return value;
  return words.text(value);
};

/** Features that something is decided by; every other name is somebody's own. */
const FEATURES: ReadonlySet<string> = new Set(
  'anon-timezone|check-updates|dvm|gui|gui-videoram-min|gui-videoram-overhead|guivm-windows-prefix|ipv6|net.fake-gateway|net.fake-ip|net.fake-netmask|qubes-firewall|service.guivm|service.meminfo-writer|service.ntpd|service.updates-proxy-setup|supported-service.meminfo-writer'.split(
    '|',
  ),
);

/** A feature's own name, below the prefix that gives it a meaning. */
export const featureName = (words: Words, name: string): string => {
  if (FEATURES.has(name)) return name;
  const prefix = /^(service|supported-service|vm-config|custom-persist)\./.exec(name)?.[0] ?? '';
  const { n, digits } = words.names.number('feature', name.slice(prefix.length));
  // A name that no new feature gets must stay one.
  const odd = /^[A-Za-z0-9_.:/+-]*$/.test(name) ? '' : ' ';
  return `${prefix}feature-${odd}${`${n}`.padStart(digits, '0')}`;
};

const SERVICES: ReadonlySet<string> = new Set(
  'guivm|meminfo-writer|ntpd|updates-proxy-setup|qubes-update-check|qubes-dvm|yum-proxy-setup'.split('|'),
);

/** The last part of a key that stands for a feature. */
const below = (words: Words, prefix: string, name: string): string =>
  featureName(words, `${prefix}.${name}`).slice(prefix.length + 1);

const part = (words: Words, text: string): string => {
  const address = words.text(text);
  return /^([0-9.]+|[0-9a-f:]+)$/.test(text) ? address : text;
};

/** A key of QubesDB. Its fixed parts are the same on every host. */
export const dbPath = (words: Words, path: string): string => {
  const named = /^\/(qubes-service|vm-config|persist)\/(.+)$/.exec(path);
  if (!named)
    return path
      .split('/')
      .map((one) => part(words, one))
      .join('/');
  const [, top = '', name = ''] = named;
  if (top === 'qubes-service') return SERVICES.has(name) ? path : `/${top}/${below(words, 'service', name)}`;
  return `/${top}/${below(words, top === 'persist' ? 'custom-persist' : top, name)}`;
};

/** Rules of Qubes 3, in a form of their own: nothing is decided by them. */
export const isOldRules = (path: string): boolean => path.startsWith('/qubes-iptables');

export const dbValue = (words: Words, path: string, value: string): string => {
  if (isOldRules(path)) return '';
  if (path === '/name' || path === '/qubes-base-template') return words.vm(value);
  if (path.startsWith('/connected-ips'))
    return value
      .split(' ')
      .map((one) => (one === '' ? '' : words.text(one)))
      .join(' ');
  return value === '' ? '' : words.text(value);
};

/**
 * A firewall rule as a line, or what stands for it in QubesDB: what it lets through stays, where to and why do not. Options it
 * does not have are text, so that a refused line is refused again.
 */
export const ruleLine = (words: Words, line: string): string => {
  const comment = /(^| )comment=(.*)$/s.exec(line);
  const options = comment ? line.slice(0, comment.index) : line;
  const shown = options.split(' ').map((option) => {
    if (option === '') return '';
    const [, name = '', value = ''] = /^([a-z0-9]+)=(.*)$/s.exec(option) ?? [];
    if (name === 'dst4' || name === 'dst6') return `${name}=${words.text(value)}`;
    if (name === 'dsthost') return `dsthost=${hostName(words, value)}`;
    const isPlain = ['action', 'proto', 'specialtarget', 'dstports', 'icmptype', 'expire'].includes(name);
    return isPlain && /^(accept|drop|tcp|udp|icmp|dns|[0-9]{1,12}(-[0-9]{1,5})?)$/.test(value)
      ? option
      : `${words.text(option)}`;
  });
  return comment ? `${shown.join(' ')}${comment[1]}comment=${words.text(comment[2] ?? '')}` : shown.join(' ');
};

/** An address is taken as one; a name gets another that no resolver knows. */
const hostName = (words: Words, value: string): string => {
  if (/^[0-9.]+(\/[0-9]+)?$/.test(value) || value.includes(':')) return words.text(value);
  const { n, digits } = words.names.number('host', value.toLowerCase());
  return `host-${`${n}`.padStart(digits, '0')}.invalid`;
};
