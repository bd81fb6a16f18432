/** What a value is when only the place where it is written can know it; never in the log. */
export type Source =
  /** 64 random bytes in base64 */
  { readonly from: 'random' };

/** One request to a QubesDB. `remove` of a path that ends in "/" takes everything below it. */
export type KeyChange = { readonly write: string; readonly value: string | Source } | { readonly remove: string };

/** Bytes of a path; the daemon silently cuts what is longer, and then writes another key (spec: C.2). */
export const LONGEST_PATH = 63;
/** Bytes of a value. */
export const LONGEST_VALUE = 3071;

const PATH = /^\/[A-Za-z0-9\-_/.:@]*$/;

/** A path that may be asked about or, ending in "/", removed with everything below it. ASCII, so characters are bytes. */
export const isPath = (path: string): boolean => path.length <= LONGEST_PATH && PATH.test(path);

const bytesOf = (character: string): number => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
};

/** Whether a daemon would take the value: no NUL, and not too long. */
export const isValue = (value: string): boolean =>
  value.length <= LONGEST_VALUE &&
  !value.includes('\0') &&
  Array.from(value, bytesOf).reduce((sum, bytes) => sum + bytes, 0) <= LONGEST_VALUE;

/** Writes a key; nothing where there is no value. */
export const put = (path: string, value: string | null | undefined): readonly KeyChange[] =>
  value === null || value === undefined ? [] : [{ write: path, value }];

/** What QubesDB can hold. A feature can have any name and value, and a VM must start all the same. */
export const fits = (change: KeyChange): boolean => {
  if ('remove' in change) return isPath(change.remove);
  const { write, value } = change;
  return isPath(write) && !write.endsWith('/') && (typeof value !== 'string' || isValue(value));
};
