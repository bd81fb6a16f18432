import type { Failure } from '../../domain/failure.ts';
import { parseVolumeKey, type VmName, type VolumeKey, type VolumeName } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { findVolume } from '../../domain/volume/find.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { writeOutput } from '../../infrastructure/cli/output-file.ts';
import { localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { timeOf } from '../../infrastructure/ledger/queries.ts';
import { lineageOf, lineageText } from '../../projections/volumes/lineage.ts';
import { type Lineage, lineageSvg } from '../../projections/volumes/lineage-svg.ts';
import { disksOfVolume, volumesProjection } from '../../projections/volumes/volumes.ts';
import { openReading, type Reading, tablesAt } from '../compose.ts';
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

type VolumeAddress = { readonly vm: VmName; readonly volume: VolumeName; readonly key: VolumeKey };

/** A removed volume still has its history. */
const lineageAt = (reading: Reading, { vm, volume, key }: VolumeAddress): Result<Lineage, Failure> => {
  const disks = disksOfVolume(tablesAt(reading, volumesProjection), key);
  const found = findVolume(reading.host, vm, volume);
  if (!found.ok && disks.length === 0) return found;
  const past = pastUpTo(reading.ledger, key, reading.asOf.position, resumedAbout(reading, key));
  return ok({ volume: key, disks, past, most: MOST_LINES });
};

const show = (args: Arguments, { ledger, asOf }: Reading, about: Lineage): Result<number, Failure> => {
  const { volume, disks, past } = about;
  if (args.flag('svg')) {
    const { markup } = lineageSvg(about, tellerOf(ledger), { page: false });
    const written = writeOutput(args.text('output'), `${markup}\n`);
    return written.ok ? ok(0) : written;
  }
  const states = lineageOf(disks, past);
  const when = (position: number): string => localTime(timeOf(ledger, position) ?? 0);
  if (args.flag('json')) outJson('lineage', asOf, { item: { volume, states } });
  else if (states.length === 0) out(`${volume} never had a disk\n`);
  else out(lineageText(states, args.flag('ascii') || !utf8() ? 'ascii' : 'utf8', when));
  return ok(0);
};

const lineage: Action = {
  options: { ascii: 'flag', svg: 'flag', output: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['VM:VOLUME'], 'lineage');
    if (!words.ok) return words;
    if (args.text('output') !== undefined && !args.flag('svg')) return err(usage('-o goes with --svg', 'lineage'));
    const key = parseVolumeKey(words.value[0] ?? '');
    if (!key.ok) return key;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      const about = lineageAt(reading.value, key.value);
      return about.ok ? show(args, reading.value, about.value) : about;
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(lineage, 'lineage', argv);
