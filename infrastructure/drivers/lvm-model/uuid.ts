/** The letters and digits of an LVM id. */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Lengths of the groups an LVM id is written in. */
const GROUPS = [6, 4, 4, 4, 4, 4, 6] as const;
const LENGTH = 32;

/** A step of a 32-bit xorshift generator. Never gives 0 for another seed than 0. */
const next = (state: number): number => {
  let value = state;
  value ^= value << 13;
  value ^= value >>> 17;
  value ^= value << 5;
  return value >>> 0;
};

const digits = (counter: number): string => {
  let text = '';
  for (let rest = counter; text.length < 6; rest = Math.floor(rest / ALPHABET.length)) {
    text = (ALPHABET[rest % ALPHABET.length] ?? '0') + text;
  }
  return text;
};

/**
 * The `counter`-th id of a seed, in LVM's form. Ids of one seed never repeat, because the counter is written out in the
 * first group; the rest only makes ids of different seeds differ.
 */
export const lvmUuid = (seed: number, counter: number): string => {
  let state = ((seed ^ 0x9e3779b9) + counter * 0x85ebca6b) >>> 0 || 1;
  let text = digits(counter);
  while (text.length < LENGTH) {
    state = next(state);
    text += ALPHABET[state % ALPHABET.length] ?? '0';
  }
  return GROUPS.map((length, index) => {
    const start = GROUPS.slice(0, index).reduce((sum: number, before) => sum + before, 0);
    return text.slice(start, start + length);
  }).join('-');
};
