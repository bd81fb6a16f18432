/**
 * Properties of a VM that stock loads late (stage 4), because they refer to other VMs or follow from such; all others
 * belong to stage 2, and the global ones all to stage 3. Elements are saved by stage, then by name.
 */
const LATE: ReadonlySet<string> = new Set([
  'appvm_default_bootmode',
  'audiovm',
  'bootmode',
  'default_dispvm',
  'guivm',
  'kernelopts',
  'management_dispvm',
  'netvm',
  'relayvm',
  'template',
]);

const FIRST_SURROGATE = 0xd800;
const BEHIND_SURROGATES = 0xe000;

/** Compares as Python does, by code point. JavaScript's `<` takes U+1F600 for two characters that come before U+FFFD. */
export const byCodePoint = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    const isPair = (unit: number): number => Number(unit >= FIRST_SURROGATE && unit < BEHIND_SURROGATES);
    return isPair(left) - isPair(right) || left - right;
  }
  return a.length - b.length;
};

/** The names of a VM's properties in the order in which stock saves them. */
export const inVmOrder = (names: readonly string[]): readonly string[] =>
  [...names].sort((a, b) => Number(LATE.has(a)) - Number(LATE.has(b)) || byCodePoint(a, b));

/** The names of global properties in the order in which stock saves them. */
export const inGlobalOrder = (names: readonly string[]): readonly string[] => [...names].sort(byCodePoint);
