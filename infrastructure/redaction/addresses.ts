import { isIpv4, isIpv6 } from '../../domain/firewall/ip-address.ts';
import { canonicalIp6 } from '../../domain/vm/ip-address.ts';
import type { Pseudonyms } from './pseudonyms.ts';

/** Addresses that Qubes gives by counting; they are the same on every host and say nothing. */
const OWN4 = /^(10\.13[78]\.\d+\.\d+|10\.139\.1\.[12]|255\.255\.255\.255|0\.0\.0\.0|127\.0\.0\.1)$/;
const OWN6 = /^fd09:24ef:4179::a8[9a]:[0-9a-f]+$/;

/** The n-th network of a length: counted in the bits that the prefix leaves. */
const network4 = (n: number, length: number): string => {
  const bits = (n * 2 ** (32 - length)) % 2 ** 32;
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.');
};

const network6 = (n: number, length: number): string => {
  const bits = (BigInt(n) << BigInt(128 - length)) % (1n << 128n);
  const hex = bits.toString(16).padStart(32, '0');
  return canonicalIp6(hex.replace(/(.{4})(?!$)/g, '$1:')) ?? '::';
};

/** An address, with the network it stands for where it is followed by a prefix length; null for what is no address. */
export const redactedAddress = (names: Pseudonyms, text: string): string | null => {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const suffix = slash < 0 ? '' : text.slice(slash);
  if (suffix !== '' && !/^\/[0-9]{1,3}$/.test(suffix)) return null;
  if (isIpv4(address)) {
    const length = suffix === '' ? 32 : Math.min(32, Number(suffix.slice(1)));
    if (length === 0 || OWN4.test(address)) return text;
    return `${network4(names.number(`net${length}`, address).n, length)}${suffix}`;
  }
  if (!isIpv6(address)) return null;
  const length = suffix === '' ? 128 : Math.min(128, Number(suffix.slice(1)));
  const canonical = canonicalIp6(address) ?? address;
  if (length === 0 || OWN6.test(canonical)) return text;
  return `${network6(names.number(`net6-${length}`, canonical).n, length)}${suffix}`;
};
