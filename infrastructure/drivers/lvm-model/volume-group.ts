import type { LvmModel } from './model.ts';
import { fine, noGroup, rejected, type Said, said } from './said.ts';
import type { State } from './state.ts';

const DEVICE = '/dev/vda';
const RING = 57_344;
const NEWEST = 61_440;

/** What every command says before it goes on when a text about a volume group cannot be read (spec: testbed §2, F2). */
export const complaints = ({ torn }: State): readonly string[] =>
  torn
    ? [
        `WARNING: Checksum error on ${DEVICE} at offset ${NEWEST}.`,
        `WARNING: invalid metadata text from ${DEVICE} at ${NEWEST}.`,
        `WARNING: metadata on ${DEVICE} at ${NEWEST} has invalid summary for VG.`,
      ]
    : [];

const line = (at: number, { volumeGroup, seqno }: State): string =>
  `metadata at ${at} length 3866 crc 03b9ec8d vg ${volumeGroup} seqno ${seqno} id M2sOcA-O14A-Dtq2-OyjG-4o3X-w4f0-PMuld5`;

const search = (state: State): Said => {
  const newer = { ...state, seqno: state.seqno + 1 };
  const broken = [line(NEWEST, newer), `WARNING: parse error for metadata at ${NEWEST}`];
  return fine('Searching for metadata at offset 4096 size 1044480', line(RING, state), ...(state.torn ? broken : []));
};

/** `pvck --dump metadata_search` and `pvck --repair`: the latter only from a file with one text, which the model takes on trust. */
export const pvck = (model: LvmModel, args: readonly string[]): Said => {
  const state = model.state();
  if (args.includes('metadata_search')) {
    const offset = args.find((arg) => arg.startsWith('metadata_offset='));
    if (offset === undefined) return search(state);
    return offset === `metadata_offset=${RING}` ? fine(line(RING, state)) : said(5, [], ['No metadata found.']);
  }
  if (!args.includes('--repair')) return rejected('Please specify an option.');
  model.restore();
  return fine('Writing metadata header.');
};

/** `vgchange --activate=y`: everything that has a device. */
export const vgchange = (model: LvmModel, args: readonly string[]): Said => {
  const { visible, volumeGroup, torn, lvs, pool } = model.state();
  if (!visible || torn || args.at(-1) !== volumeGroup) return noGroup(args.at(-1) ?? '');
  model.activate(pool.name);
  const failures = [...lvs.values()].filter(({ name }) => !model.activate(name).ok);
  return failures.length === 0
    ? fine(`${lvs.size} logical volume(s) in volume group "${volumeGroup}" now active`)
    : said(5, [], ['device-mapper: reload ioctl on  (253:5) failed: No data available']);
};
