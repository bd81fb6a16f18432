export type Argv = readonly [string, ...string[]];

/** The thin pool a driver works on. */
export type PoolName = { readonly volumeGroup: string; readonly thinPool: string };

/** The step a command is run for. */
export type Marker = { readonly command: string; readonly step: number };

/**
 * Command ids are narrow where they are made. Should one with a quote or a blank come by nevertheless, it must not end
 * the quoted string in LVM's configuration language or the tag.
 */
export const plain = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.-]/g, '_');

/**
 * Written into LVM's own archive with the whole command line, which makes a change tell who asked for it that cannot
 * take a tag. `config/checks=0` keeps LVM from warning about a section it does not know.
 */
const archived = ({ command, step }: Marker): readonly string[] => [
  '--config',
  `config/checks=0 domtrail/step="${plain(command)}/${step}"`,
];

/**
 * Set in the same metadata write that makes the LV: who made it is as durable as that it exists. The archive shows the
 * tags with the command line, so a creation needs no other mark there.
 */
const tagged = ({ command, step }: Marker): readonly string[] => [
  '--addtag',
  'domtrail',
  '--addtag',
  `dt.cmd=${plain(command)}`,
  '--addtag',
  `dt.step=${step}`,
];

/** No activation skip, and active at once. Short, because a shared lvm takes lines of at most 255 bytes. */
const FRESH = ['-kn', '-ay'] as const;

/** The words after `lvm`. Names are `VG/LV`, sizes bytes. */
export type LvmWords = readonly string[];

export const createWords = (pool: PoolName, name: string, bytes: number, marker: Marker): LvmWords => [
  'lvcreate',
  '--thin',
  ...FRESH,
  ...tagged(marker),
  `--name=${name.slice(name.indexOf('/') + 1)}`,
  `--virtualsize=${bytes}B`,
  '--',
  `${pool.volumeGroup}/${pool.thinPool}`,
];

/** Without `--type=thin`: lvm2 2.03.16 refuses it together with `--snapshot` (spec: lvm §0). */
export const snapshotWords = (from: string, name: string, marker: Marker): LvmWords => [
  'lvcreate',
  ...FRESH,
  '--snapshot',
  ...tagged(marker),
  `--name=${name}`,
  '--',
  from,
];

export const renameWords = (from: string, to: string, marker: Marker): LvmWords => [
  'lvrename',
  ...archived(marker),
  '--',
  from,
  to,
];

/**
 * Compare and delete: removes the LV of that name only if it has that UUID. Never without the name, because LVM would
 * then look for a historical LV of the same UUID too (spec: lvm-history §4).
 */
export const removeWords = (uuid: string, name: string, marker: Marker): LvmWords => [
  'lvremove',
  '--force',
  '-y',
  '-S',
  `lv_uuid=${uuid}`,
  ...archived(marker),
  '--',
  name,
];

/** Only an agreed shrink says yes to LVM's question; without `-y` and with nothing on stdin it refuses. */
export const resizeWords = (name: string, bytes: number, shrink: boolean, marker: Marker): LvmWords => [
  'lvresize',
  ...(shrink ? ['-y'] : []),
  ...archived(marker),
  `--size=${bytes}B`,
  '--',
  name,
];

export const activateWords = (name: string, marker: Marker): LvmWords => [
  'lvchange',
  '--activate=y',
  ...archived(marker),
  '--',
  name,
];

/** Without the activation skip flag, which thin snapshots made by hand have: an LV with it stays inactive and LVM says 0. */
export const unskipWords = (name: string, marker: Marker): LvmWords => [
  'lvchange',
  '--setactivationskip=n',
  ...archived(marker),
  '--',
  name,
];

export const activateGroupWords = (volumeGroup: string): LvmWords => ['vgchange', '--activate=y', '--', volumeGroup];

/** Lists the texts about volume groups that a disk still holds; LVM keeps some hundred old ones (pvck(8)). */
export const searchTextsWords = (device: string): LvmWords => ['pvck', '--dump', 'metadata_search', device];

/** Only with the offset is the file one text; without it it holds all of them, and a repair from it makes things worse. */
export const dumpTextWords = (device: string, offset: number, file: string): LvmWords => [
  'pvck',
  '--dump',
  'metadata_search',
  '--settings',
  `metadata_offset=${offset}`,
  '-f',
  file,
  device,
];

export const repairHeaderWords = (device: string, file: string): LvmWords => [
  'pvck',
  '--repair',
  '-y',
  '-f',
  file,
  device,
];

/** All that a survey needs to know, from one process. */
const REPORT_FIELDS = [
  'lv_uuid',
  'lv_name',
  'pool_lv',
  'segtype',
  'lv_size',
  'data_percent',
  'lv_metadata_size',
  'metadata_percent',
  'lv_attr',
  'lv_device_open',
  'origin_uuid',
  'lv_tags',
  'transaction_id',
] as const;

export const reportWords = ({ volumeGroup }: PoolName): LvmWords => [
  'lvs',
  '--reportformat',
  'json',
  '--units',
  'b',
  '--nosuffix',
  '-o',
  REPORT_FIELDS.join(','),
  '--',
  volumeGroup,
];

/** Blocks of zeros are not written, so the target must read as zeros before. */
export const copyInArgv = (source: string, device: string): Argv => [
  'dd',
  `if=${source}`,
  `of=${device}`,
  'bs=128K',
  'conv=sparse,nocreat,fsync',
  'status=progress',
];

export const stdinInArgv = (device: string, limit: number): Argv => [
  'dd',
  `of=${device}`,
  'bs=128K',
  `count=${limit}`,
  'iflag=count_bytes,fullblock',
  'conv=sparse,nocreat,fsync',
  'status=progress',
];

/** Asks standard input for one byte more. */
export const oneMoreArgv: Argv = ['dd', 'bs=1', 'count=1', 'status=none'];

/** Into a file that exists and has the right size already. */
export const copyOutArgv = (device: string, file: string): Argv => [
  'dd',
  `if=${device}`,
  `of=${file}`,
  'bs=128K',
  'conv=sparse,notrunc,nocreat,fsync',
  'status=progress',
];

export const stdoutArgv = (device: string): Argv => ['dd', `if=${device}`, 'bs=128K', 'status=progress'];

/** Programs that need the rights of root; `lvm` is one binary, its commands are its first word. */
export const privileged = (uid: number, [program, ...args]: Argv): Argv =>
  uid === 0 ? [program, ...args] : ['sudo', program, ...args];

export const lvm = (uid: number, words: LvmWords): Argv => privileged(uid, ['lvm', ...words]);
