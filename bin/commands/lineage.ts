import { parseVolumeKey } from '../../domain/names.ts';
import { ok } from '../../domain/result.ts';
import { findVolume } from '../../domain/volume/find.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { timeOf } from '../../infrastructure/ledger/queries.ts';
import { lineageOf, lineageText } from '../../projections/volumes/lineage.ts';
import { disksOfVolume, volumesProjection } from '../../projections/volumes/volumes.ts';
import { openReading, tablesAt } from '../compose.ts';
import { testimonyAbout, testimonyLines } from '../testimony-about.ts';

const HELP = `domtrail lineage: every state a volume ever had, by disk identity

  domtrail lineage work:private
  domtrail lineage work:private --ascii
  domtrail lineage work:private --at ev:480

@ in use   ● committed   ○ an older revision; a lane beside the first holds what a
revert left aside. States that are gone are counted at the end, and then comes
what LVM's own archive says of the volume, where an adoption took it over.
`;

/** The graph's lines need a UTF-8 terminal; anything else gets plain letters. */
const utf8 = (): boolean =>
  /utf-?8/i.test(process.env['LC_ALL'] || process.env['LC_CTYPE'] || process.env['LANG'] || '');

/** So many of LVM's own entries are shown, the newest; `log VM:VOLUME` has all of them. */
const TESTIMONIES = 10;

const lineage: Action = {
  options: { ascii: 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['VM:VOLUME'], 'lineage');
    if (!words.ok) return words;
    const key = parseVolumeKey(words.value[0] ?? '');
    if (!key.ok) return key;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { ledger, host, asOf } = reading.value;
    try {
      const found = findVolume(host, key.value.vm, key.value.volume);
      const nodes = lineageOf(disksOfVolume(tablesAt(reading.value, volumesProjection), key.value.key));
      // A removed volume still has its history.
      const told = testimonyAbout(reading.value, key.value.key);
      if (!found.ok && nodes.length === 0 && told.length === 0) return found;
      const when = (position: number): string => localTime(timeOf(ledger, position) ?? 0);
      if (args.flag('json'))
        outJson('lineage', asOf, {
          item: { volume: key.value.key, states: nodes, testimony: told.map(({ event }) => event) },
        });
      else {
        const style = args.flag('ascii') || !utf8() ? 'ascii' : 'utf8';
        out(nodes.length === 0 ? `${key.value.key} never had a disk\n` : lineageText(nodes, style, when));
        out(
          testimonyLines(told, TESTIMONIES)
            .map((line) => `${escapeText(line)}\n`)
            .join(''),
        );
      }
      return ok(0);
    } finally {
      closeLedger(ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(lineage, 'lineage', argv);
