import { spawnSync } from 'node:child_process';

const GROUP = 'qubes_dom0';
const ENVIRONMENT = { ...process.env, LC_ALL: 'C.UTF-8', LVM_SUPPRESS_FD_WARNINGS: '1' };

export const runs = (program: string, ...args: readonly string[]): void => {
  const { status, stderr } = spawnSync(program, args, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status} ${stderr.toString()}`);
};

export const lvm = (...words: readonly string[]): void => runs('lvm', ...words);
const full = (name: string): string => `${GROUP}/${name}`;

const snapshot = (from: string, name: string) => (): void =>
  lvm('lvcreate', '-kn', '-ay', '-s', `--name=${full(name)}`, '--', full(from));
export const create =
  (name: string, size = '64M') =>
  (): void =>
    lvm('lvcreate', '--thin', '-kn', '-ay', `--name=${name}`, `--virtualsize=${size}`, '--', full('vm-pool'));
const rename = (from: string, to: string) => (): void => lvm('lvrename', '--', full(from), full(to));
const remove = (name: string) => (): void => {
  runs('blkdiscard', '-p', '1G', `/dev/mapper/${GROUP}-${name.replaceAll('-', '--')}`);
  lvm('lvremove', '--force', '--', full(name));
};

/** The full report that stock Qubes takes after each operation (spec: storage 2.2), of all volume groups. */
const refresh = (): void =>
  lvm(
    'lvs',
    '--quiet',
    '--quiet',
    '--noheadings',
    '-o',
    'vg_name,pool_lv,name,lv_size,data_percent,lv_attr,origin,lv_metadata_size,metadata_percent',
    '--units',
    'b',
    '--reportformat=json',
  );

type Sequence = readonly (() => void)[];
const start: Sequence = [
  snapshot('vm-tpl-root', 'vm-hand-root-snap'),
  snapshot('vm-hand-private', 'vm-hand-private-snap'),
  create('vm-hand-volatile'),
];

/** One revision is kept: the old one goes. `n` numbers the rounds. */
const stop = (n: number): Sequence => [
  rename('vm-hand-private', `vm-hand-private-${n}-back`),
  rename('vm-hand-private-snap', 'vm-hand-private'),
  remove('vm-hand-root-snap'),
  remove('vm-hand-volatile'),
  remove(`vm-hand-private-${n - 1}-back`),
];

/** The same, with what goes renamed before it is discarded, as domtrail does it. */
const carefulStop = (n: number): Sequence => {
  const doomed = ['vm-hand-root-snap', 'vm-hand-volatile', `vm-hand-private-${n - 1}-back`];
  return [
    ...stop(n).slice(0, 2),
    ...doomed.map((name) => rename(name, `${name}-trash-back`)),
    ...doomed.map((name) => remove(`${name}-trash-back`)),
  ];
};

const all = (sequence: Sequence) => (): void => {
  for (const step of sequence) step();
};
const times = (count: number): Sequence => Array.from({ length: count }, () => refresh);

/** What a person would type, with the least processes; and what stock Qubes runs for the same. */
export const byHand = {
  prepare: all([
    create('vm-tpl-root'),
    create('vm-hand-private'),
    snapshot('vm-hand-private', 'vm-hand-private-0-back'),
  ]),
  start: all(start),
  stop: (n: number) => all(stop(n)),
  carefulStop: (n: number) => all(carefulStop(n)),
  stockStart: all([...start, ...times(3)]),
  stockStop: (n: number) => all([...stop(n), ...times(5)]),
};
