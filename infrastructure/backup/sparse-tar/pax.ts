import { BadTar } from './header.ts';

/** The records of a PAX header in their order; a key may come twice (sparse 0.0). */
export type PaxRecords = readonly (readonly [key: string, value: string])[];

/** Largest PAX header that is read, in bytes: sparse 0.1 keeps whole maps there. */
export const MOST_PAX = 64 * 2 ** 20;

/** Records are "LENGTH KEY=VALUE\n", where the length counts itself. Throws `BadTar`. */
export const parsePax = (bytes: Buffer): PaxRecords => {
  const records: (readonly [string, string])[] = [];
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const blank = bytes.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(bytes.toString('latin1', at, blank));
    const end = at + length;
    if (!Number.isInteger(length) || end <= blank + 1 || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw new BadTar('a PAX header is damaged');
    const equals = bytes.indexOf(0x3d, blank);
    if (equals < 0 || equals >= end) throw new BadTar('a PAX header is damaged');
    records.push([bytes.toString('utf8', blank + 1, equals), bytes.toString('utf8', equals + 1, end - 1)]);
    at = end;
  }
  return records;
};

export const paxValue = (records: PaxRecords, key: string): string | undefined =>
  records.findLast(([name]) => name === key)?.[1];
