import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentDigest } from '../../infrastructure/backup/content-digest.ts';

type Piece = readonly [offset: number, bytes: string];

const digestOf = (size: number, ...pieces: readonly Piece[]): string => {
  const digest = contentDigest();
  for (const [offset, bytes] of pieces) digest.add(offset, Buffer.from(bytes));
  return digest.of(size);
};

describe('the digest of an image with holes', () => {
  test('is the same however the data comes in pieces', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.nat(40), fc.nat(1000), (text, cut, offset) => {
        const [head, rest] = [text.slice(0, cut), text.slice(cut)];
        const inTwo = digestOf(5000, [offset, head], [offset + Buffer.byteLength(head), rest]);
        expect(inTwo).toBe(digestOf(5000, [offset, text]));
      }),
    );
  });

  test('is another one for other data, another place, another size, and data that only moved between two runs', () => {
    const some = digestOf(100, [0, 'ab'], [50, 'cd']);
    const others = [
      digestOf(100, [0, 'ab'], [50, 'ce']),
      digestOf(100, [0, 'ab'], [51, 'cd']),
      digestOf(101, [0, 'ab'], [50, 'cd']),
      digestOf(100, [0, 'abc'], [50, 'd']),
      digestOf(100, [0, 'abcd']),
      digestOf(100),
    ];
    expect(new Set([some, ...others]).size).toBe(others.length + 1);
  });
});
