const PART4 = /^(?:0|[1-9][0-9]{0,2})$/;

/** A dotted quad as inet_pton takes it: four decimal numbers up to 255 without leading zeros. */
export const isIpv4 = (text: string): boolean => {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => PART4.test(part) && Number(part) <= 255);
};

const GROUP = /^[0-9a-fA-F]{1,4}$/;
const GROUPS = 8;

/** How many 16-bit groups a colon-separated side of an address has, null when it is none. Only the last may be dotted. */
const groupsIn = (side: string, mayEndDotted: boolean): number | null => {
  if (side === '') return 0;
  const groups = side.split(':');
  const last = groups.at(-1) ?? '';
  const dotted = mayEndDotted && last.includes('.');
  const plain = dotted ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => GROUP.test(group)) || (dotted && !isIpv4(last))) return null;
  return groups.length + Number(dotted);
};

/** An IPv6 address as inet_pton takes it: no zone, `::` at most once and for at least one group, a dotted quad at the end. */
export const isIpv6 = (text: string): boolean => {
  if (!text.includes(':')) return false;
  const sides = text.split('::');
  if (sides.length > 2) return false;
  const [left = '', right] = sides;
  if (right === undefined) return groupsIn(left, true) === GROUPS;
  const before = groupsIn(left, false);
  const after = groupsIn(right, true);
  return before !== null && after !== null && before + after < GROUPS;
};

/** The eight groups of an address that `isIpv6` lets through. */
const groupsOf = (side: string): readonly number[] =>
  side === ''
    ? []
    : side.split(':').flatMap((group) => {
        if (!group.includes('.')) return [Number.parseInt(group, 16)];
        const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
        return [a * 256 + b, c * 256 + d];
      });

/** The bits of an address, most significant first, so that two spellings of one network can be compared. */
export const addressBits = (text: string): string => {
  if (!text.includes(':'))
    return text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const [left = '', right = ''] = text.split('::');
  const before = groupsOf(left);
  const after = groupsOf(right);
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].map((group) => group.toString(2).padStart(16, '0')).join('');
};
