import type { Destination, Rule } from './rule.ts';

const LONGEST_LABEL = 63;
const LONGEST_NAME = 253;

/**
 * Whether a resolver can be asked for a name at all. An empty or too long label makes Python's getaddrinfo throw, which kills
 * the agent; a name that ends in a number is none that DNS could know, and blocks the VM.
 */
const canBeAsked = (name: string): boolean => {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  const labels = bare.split('.');
  const last = labels.at(-1) ?? '';
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last)) return false;
  return bare.length <= LONGEST_NAME && labels.every(({ length }) => length > 0 && length <= LONGEST_LABEL);
};

/** nft reads a prefix length with a leading zero as octal: /032 would open a /26, and /08 is an error. */
const withPlainPrefix = (destination: Destination | null): Destination | null => {
  if (!destination || destination.kind === 'dsthost') return destination;
  return { ...destination, text: destination.text.replace(/\/0+(?=[0-9])/, '/') };
};

/**
 * The rule as the agent in a netvm can take it (spec: section D), or null when it must not get it. A rule it would choke on is
 * left out when it accepts, and drops more than it said when it drops: what matches it goes on to the same fate or to a
 * stricter one, so the list as a whole never lets anything through that the list as written would not.
 */
export const bearable = (rule: Rule): Rule | null => {
  const { destination, proto, special } = rule;
  const unknown = destination?.kind === 'dsthost' && !canBeAsked(destination.text);
  // The agent gives dns the port 53, and nft knows no ports of icmp.
  const portOfIcmp = proto === 'icmp' && special === 'dns';
  if (!unknown && !portOfIcmp) return { ...rule, destination: withPlainPrefix(destination) };
  if (rule.action === 'accept') return null;
  return {
    ...rule,
    destination: unknown ? null : withPlainPrefix(destination),
    special: portOfIcmp ? null : special,
  };
};
