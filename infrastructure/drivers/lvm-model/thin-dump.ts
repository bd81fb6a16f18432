import { metadataNameOf } from '../lvm-thin/names.ts';
import type { Chunks } from './content.ts';
import { CHUNK } from './content.ts';
import type { LvmModel } from './model.ts';
import type { Said } from './said.ts';

type Run = { readonly begin: number; length: number };

/** As the program does it, blocks that lie side by side in the volume and in the pool are one element. */
const runsOf = (chunks: Chunks): readonly Run[] => {
  const runs: (Run & { readonly id: number })[] = [];
  for (const [index, { id }] of [...chunks].sort(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last && last.begin + last.length === index && last.id + last.length === id) last.length++;
    else runs.push({ begin: index, length: 1, id });
  }
  return runs;
};

const element = ({ begin, length }: Run, at: number): string =>
  length === 1
    ? `    <single_mapping origin_block="${begin}" data_block="${at}" time="0"/>`
    : `    <range_mapping origin_begin="${begin}" data_begin="${at}" length="${length}" time="0"/>`;

const deviceOf = (id: number, chunks: Chunks): readonly string[] => [
  `  <device dev_id="${id}" mapped_blocks="${chunks.size}" transaction="0" creation_time="0" snap_time="0">`,
  ...runsOf(chunks).map(element),
  '  </device>',
];

/** `thin_dump --metadata-snap --dev-id N METADATA` (thin-provisioning-tools 0.9.0, seen in the lab). */
export const thinDump = (model: LvmModel, args: readonly string[]): Said => {
  const { volumeGroup, pool, kernel } = model.state();
  const wrong = (stderr: string): Said => ({ exitCode: 1, stdout: '', stderr: `${stderr}\n` });
  const device = args.at(-1) ?? '';
  if (device !== `/dev/mapper/${metadataNameOf(volumeGroup, pool.name)}`)
    return wrong(`Couldn't stat path '${device}'`);
  if (!kernel.held) return wrong('no current metadata snap');
  const id = Number(args[args.indexOf('--dev-id') + 1]);
  const chunks = kernel.held.get(id);
  const superblock = `<superblock uuid="" time="1" transaction="${kernel.transactionId}" flags="0" version="2" data_block_size="${CHUNK / 512}" nr_data_blocks="0">`;
  const lines = [superblock, ...(chunks ? deviceOf(id, chunks) : []), '</superblock>', ''];
  return { exitCode: 0, stdout: lines.join('\n'), stderr: '' };
};
