/** An IPv4 address in four decimal numbers without leading zeros, as Python's ipaddress takes it; null for anything else. */
export const canonicalIp4 = (text: string): string | null => {
  const parts = text.split('.');
  const fits = parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
  return fits ? text : null;
};

/** The last two groups of an address may be an IPv4 address. */
const withoutDotted = (text: string): string | null => {
  if (!text.includes('.')) return text;
  const colon = text.lastIndexOf(':');
  const dotted = canonicalIp4(text.slice(colon + 1));
  if (dotted === null || colon < 0) return null;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${text.slice(0, colon)}:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
};

const GROUPS = 8;

const groupsOf = (text: string): readonly number[] | null => {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = GROUPS - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const all = [...head, ...Array.from({ length: halves.length === 1 ? 0 : missing }, () => '0'), ...tail];
  return all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) ? all.map((group) => Number.parseInt(group, 16)) : null;
};

type Run = { readonly at: number; readonly length: number };

/** The first of the longest runs of zero groups, at least two long. */
const longestZeros = (groups: readonly number[]): Run | null => {
  let best: Run | null = null;
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === 0) length++;
    if (length > (best?.length ?? 1)) best = { at, length };
  }
  return best;
};

const compressed = (groups: readonly number[]): string => {
  const hex = groups.map((group) => group.toString(16));
  const zeros = longestZeros(groups);
  if (!zeros) return hex.join(':');
  return `${hex.slice(0, zeros.at).join(':')}::${hex.slice(zeros.at + zeros.length).join(':')}`;
};

/** An IPv6 address the way Python's ipaddress writes it: lower case, the longest run of zeros left out; null if it is none. */
export const canonicalIp6 = (text: string): string | null => {
  const percent = text.indexOf('%');
  const zone = percent < 0 ? '' : text.slice(percent);
  if (percent >= 0 && !/^%[^%/]+$/.test(zone)) return null;
  const plain = withoutDotted(percent < 0 ? text : text.slice(0, percent));
  const groups = plain === null ? null : groupsOf(plain);
  return groups === null ? null : `${compressed(groups)}${zone}`;
};
