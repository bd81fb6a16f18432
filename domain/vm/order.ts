import type { Vm } from './vm.ts';

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

/** dom0 first, then by name, whatever the qids are: the order of qubes.xml and of every list. */
export const inDomainOrder = (a: Vm, b: Vm): number =>
  Number(b.class === 'AdminVM') - Number(a.class === 'AdminVM') || byCodePoint(a.name, b.name);
