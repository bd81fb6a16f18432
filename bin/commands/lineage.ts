import type { Failure } from '../../domain/failure.ts';
import { parseVolumeKey, type VmName, type VolumeKey, type VolumeName } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { findVolume } from '../../domain/volume/find.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { writeOutput } from '../../infrastructure/cli/output-file.ts';
import { utf8Terminal } from '../../infrastructure/cli/terminal.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { timeOf } from '../../infrastructure/ledger/queries.ts';
import { lineageOf, lineageText } from '../../projections/volumes/lineage.ts';
import { type Lineage, lineageSvg } from '../../projections/volumes/lineage-svg.ts';
import { openReading, type Reading } from '../compose.ts';
import { disksSeen } from '../disks-seen.ts';
import { tellerOf } from '../event-teller.ts';
import { testimonyAbout, testimonyLines } from '../testimony-about.ts';
import { pastUpTo, resumedAbout } from '../volume-past.ts';

const HELP = `domtrail lineage: every state a volume ever had, by disk identity

  domtrail lineage work:private
  domtrail lineage work:private --ascii
  domtrail lineage work:private --at ev:480
  domtrail lineage work:private --svg -o work.svg    also what is gone, for a browser

@ in use   ● committed   ○ an older revision; a lane beside the first holds what a
revert left aside. States that are gone are counted at the end, and then comes
what LVM's own archive says of the volume, where an adoption took it over. The
picture is one file: no script, nothing that it fetches, dark or light.
`;

/** Lines of a picture at most; what is older is counted in it. */
const MOST_LINES = 400;

type VolumeAddress = { readonly vm: VmName; readonly volume: VolumeName; readonly key: VolumeKey };

/** So many of LVM's own entries are shown, the newest; `log VM:VOLUME` has all of them. */
const TESTIMONIES = 10;

type Testimony = ReturnType<typeof testimonyAbout>;
type About = Lineage & { readonly told: Testimony };

/** A removed volume still has its history. */
const lineageAt = (reading: Reading, { vm, volume, key }: VolumeAddress): Result<About, Failure> => {
  const disks = disksSeen(reading, key);
  const told = testimonyAbout(reading, key);
  const found = findVolume(reading.host, vm, volume);
  if (!found.ok && disks.length === 0 && told.length === 0) return found;
  const past = pastUpTo(reading.ledger, key, reading.asOf.position, resumedAbout(reading, key));
  return ok({ volume: key, disks, past, most: MOST_LINES, told });
};

const draw = (args: Arguments, { ledger }: Reading, about: Lineage): Result<number, Failure> => {
  const { markup } = lineageSvg(about, tellerOf(ledger), { page: false });
  const written = writeOutput(args.text('output'), `${markup}\n`);
  return written.ok ? ok(0) : written;
};

const show = (args: Arguments, { ledger, asOf }: Reading, about: About): Result<number, Failure> => {
  const { volume, disks, past, told } = about;
  const states = lineageOf(disks, past);
  if (args.flag('json')) {
    outJson('lineage', asOf, { item: { volume, states, testimony: told.map(({ event }) => event) } });
    return ok(0);
  }
  const when = (position: number): string => localTime(timeOf(ledger, position) ?? 0);
  const style = args.flag('ascii') || !utf8Terminal() ? 'ascii' : 'utf8';
  out(states.length === 0 ? `${volume} never had a disk\n` : lineageText(states, style, when));
  const lines = testimonyLines(told, TESTIMONIES);
  out(lines.map((line) => `${escapeText(line)}\n`).join(''));
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
      if (!about.ok) return about;
      return (args.flag('svg') ? draw : show)(args, reading.value, about.value);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(lineage, 'lineage', argv);
