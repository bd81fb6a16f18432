import { parseVolumeKey } from '../../domain/names.ts';
import { ok } from '../../domain/result.ts';
import { findVolume } from '../../domain/volume/find.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { writeOutput } from '../../infrastructure/cli/output-file.ts';
import { localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { timeOf } from '../../infrastructure/ledger/queries.ts';
import { lineageOf, lineageText } from '../../projections/volumes/lineage.ts';
import { lineageSvg } from '../../projections/volumes/lineage-svg.ts';
import { disksOfVolume, volumesProjection } from '../../projections/volumes/volumes.ts';
import { openReading, tablesAt } from '../compose.ts';
import { tellerOf } from '../event-teller.ts';
import { pastUpTo, resumedAbout } from '../volume-past.ts';

const HELP = `domtrail lineage: every state a volume ever had, by disk identity

  domtrail lineage work:private
  domtrail lineage work:private --ascii
  domtrail lineage work:private --at ev:480
  domtrail lineage work:private --svg -o work.svg    also what is gone, for a browser

@ in use   ● committed   ○ an older revision; a lane beside the first holds what a
revert left aside. States that are gone are counted at the end. The picture is one
file: no script, nothing that it fetches, dark or light as the reader has it.
`;

/** The graph's lines need a UTF-8 terminal; anything else gets plain letters. */
const utf8 = (): boolean =>
  /utf-?8/i.test(process.env['LC_ALL'] || process.env['LC_CTYPE'] || process.env['LANG'] || '');

/** Lines of a picture at most; what is older is counted in it. */
const MOST_LINES = 400;

const lineage: Action = {
  options: { ascii: 'flag', svg: 'flag', output: 'value' },
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
      const volume = key.value.key;
      const disks = disksOfVolume(tablesAt(reading.value, volumesProjection), volume);
      const past = pastUpTo(ledger, volume, asOf.position, resumedAbout(reading.value, volume));
      const nodes = lineageOf(disks, past);
      // A removed volume still has its history.
      if (!found.ok && nodes.length === 0) return found;
      if (args.flag('svg')) {
        const picture = lineageSvg({ volume, disks, past, most: MOST_LINES }, tellerOf(ledger), { page: false });
        const written = writeOutput(args.text('output'), `${picture.markup}\n`);
        return written.ok ? ok(0) : written;
      }
      const when = (position: number): string => localTime(timeOf(ledger, position) ?? 0);
      if (args.flag('json')) outJson('lineage', asOf, { item: { volume, states: nodes } });
      else
        out(
          nodes.length === 0
            ? `${volume} never had a disk\n`
            : lineageText(nodes, args.flag('ascii') || !utf8() ? 'ascii' : 'utf8', when),
        );
      return ok(0);
    } finally {
      closeLedger(ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(lineage, 'lineage', argv);
