import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseThinDump } from '../../../infrastructure/drivers/lvm-thin/thin-dump.ts';

const KIB = 1024;

/** As thin_dump 0.9.0 printed it in the lab, of a volume with blocks 3 to 12 and 100, of which its origin changed 5. */
const SEEN = `<superblock uuid="" time="1" transaction="2" flags="0" version="2" data_block_size="128" nr_data_blocks="0">
  <device dev_id="1" mapped_blocks="11" transaction="0" creation_time="0" snap_time="1">
    <range_mapping origin_begin="3" data_begin="0" length="2" time="0"/>
    <single_mapping origin_block="5" data_block="11" time="1"/>
    <range_mapping origin_begin="6" data_begin="3" length="7" time="0"/>
    <single_mapping origin_block="100" data_block="10" time="0"/>
  </device>
</superblock>
`;

describe('what thin_dump prints', () => {
  test('is read as ranges of bytes, joined where they touch', () => {
    expect(parseThinDump(SEEN, 1)).toEqual([
      { offset: 3 * 64 * KIB, length: 10 * 64 * KIB },
      { offset: 100 * 64 * KIB, length: 64 * KIB },
    ]);
  });

  test('of a volume that nothing was written to is no range at all', () => {
    const lines = SEEN.split('\n');
    const empty = [lines[0], lines[1]?.replace('"11"', '"0"'), ...lines.slice(6)].join('\n');
    expect(parseThinDump(empty, 1)).toEqual([]);
  });

  test('is no map where it is about another volume, or about none', () => {
    expect(parseThinDump(SEEN, 2)).toBeNull();
    expect(parseThinDump('', 1)).toBeNull();
    const [first = '', ...rest] = SEEN.split('\n');
    expect(parseThinDump([first, ...rest.slice(6)].join('\n'), 1)).toBeNull();
  });

  test('is no map where a line is missing, doubled, cut off or unknown', () => {
    const lines = SEEN.split('\n');
    fc.assert(
      fc.property(
        fc.nat({ max: lines.length - 2 }),
        fc.constantFrom('missing', 'doubled', 'cut', 'unknown'),
        (at, how) => {
          const line = lines[at] ?? '';
          const instead = {
            missing: [],
            doubled: [line, line],
            cut: [line.slice(0, -1)],
            unknown: ['    <ref name="x"/>'],
          };
          const changed = [...lines.slice(0, at), ...instead[how], ...lines.slice(at + 1)].join('\n');
          expect(parseThinDump(changed, 1)).toBeNull();
        },
      ),
    );
  });

  test('is no map where it ends early', () => {
    for (let length = 0; length < SEEN.length; length++) expect(parseThinDump(SEEN.slice(0, length), 1)).toBeNull();
  });

  test('covers exactly the blocks that are allocated, whatever they are', () => {
    const blocks = fc.uniqueArray(fc.nat({ max: 300 }), { maxLength: 60 });
    fc.assert(
      fc.property(blocks, fc.constantFrom(128, 256, 2048), (chosen, sectors) => {
        const sorted = [...chosen].sort((a, b) => a - b);
        const text = [
          `<superblock uuid="" time="0" transaction="9" flags="0" version="2" data_block_size="${sectors}" nr_data_blocks="0">`,
          `  <device dev_id="7" mapped_blocks="${sorted.length}" transaction="0" creation_time="0" snap_time="0">`,
          ...sorted.map((block, at) => `    <single_mapping origin_block="${block}" data_block="${at}" time="0"/>`),
          '  </device>',
          '</superblock>',
          '',
        ].join('\n');
        const bytes = sectors * 512;
        const covered = parseThinDump(text, 7)?.flatMap(({ offset, length }) =>
          Array.from({ length: length / bytes }, (_, index) => offset / bytes + index),
        );
        expect(covered).toEqual(sorted);
      }),
    );
  });
});
