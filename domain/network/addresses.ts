import { addressBits, isIpv4, isIpv6 } from '../firewall/ip-address.ts';
import type { Family } from '../firewall/texts.ts';
import type { Host } from '../host/host.ts';
import type { Vm } from '../vm/vm.ts';
import { netvmOf, providesNetwork, wayOut } from './network.ts';

const GROUP_BITS = 16;

/** The longest run of at least two zero groups, the first of several: what `::` stands for. */
const longestZeros = (groups: readonly string[]): { readonly from: number; readonly length: number } => {
  let best = { from: 0, length: 1 };
  for (let from = 0; from < groups.length; from++) {
    let length = 0;
    while (groups[from + length] === '0') length++;
    if (length > best.length) best = { from, length };
  }
  return best;
};

/** An IPv6 address as Python's ipaddress writes it, which is how stock names keys after it. */
const canonicalIpv6 = (text: string): string => {
  const bits = addressBits(text);
  const groups = Array.from({ length: bits.length / GROUP_BITS }, (_one, at) =>
    Number.parseInt(bits.slice(at * GROUP_BITS, (at + 1) * GROUP_BITS), 2).toString(16),
  );
  const { from, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + length).join(':')}`;
};

const numberIn = (text: string | undefined): number | null =>
  text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : null;

/** spec: B.10, from net.py: above 254 the numbers count through hosts 1 to 254 only. */
const hostPart = (number: number): string => {
  if (number < 255) return `${number >> 8}.${number & 255}`;
  const n = number - 1;
  return `${Math.floor(n / 254)}.${(n % 254) + 1}`;
};

const ownNumber = (vm: Vm): { readonly net: 'qid' | 'dispid'; readonly n: number } | null => {
  const dispid = vm.class === 'DispVM' ? numberIn(vm.properties['dispid']) : null;
  if (dispid !== null) return { net: 'dispid', n: dispid };
  const qid = numberIn(vm.properties['qid']);
  return qid === null ? null : { net: 'qid', n: qid };
};

const derived4 = (vm: Vm): string | null => {
  const own = ownNumber(vm);
  return own && `${own.net === 'dispid' ? '10.138' : '10.137'}.${hostPart(own.n)}`;
};

const derived6 = (vm: Vm): string | null => {
  const own = ownNumber(vm);
  return own && canonicalIpv6(`fd09:24ef:4179::${own.net === 'dispid' ? 'a8a' : 'a89'}:${own.n.toString(16)}`);
};

/** The nearest VM on the way out that has the feature decides; the empty text is off, as everywhere in features. */
export const hasIpv6 = (host: Host, vm: Vm): boolean => {
  const said = wayOut(host, vm).find(({ features }) => features['ipv6'] !== undefined);
  return Boolean(said?.features['ipv6']);
};

/**
 * The address a VM has towards its netvm, in the text form stock uses in keys; null for none. One set by hand wins, and
 * counts for IPv6 without the feature too. Something set that is no address is none: no key is ever made from it.
 */
export const addressOf = (host: Host, vm: Vm, family: Family): string | null => {
  const set = vm.properties[family === 4 ? 'ip' : 'ip6'];
  if (set !== undefined) {
    if (family === 4) return isIpv4(set) ? set : null;
    return isIpv6(set) ? canonicalIpv6(set) : null;
  }
  if (vm.class === 'AdminVM' || !(providesNetwork(vm) || netvmOf(host, vm))) return null;
  if (family === 4) return derived4(vm);
  return hasIpv6(host, vm) ? derived6(vm) : null;
};
