import { afterEach, beforeEach, expect, test } from 'vitest';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { createLvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { type Argv, reportWords } from '../../../infrastructure/drivers/lvm-thin/argv.ts';
import { deviceInfoArgv, poolStatusArgv } from '../../../infrastructure/drivers/lvm-thin/device-argv.ts';
import type { Run } from '../../../infrastructure/drivers/lvm-thin/work.ts';
import { run } from '../../../infrastructure/process/run.ts';
import { labPool, removeAll } from './real-bench.ts';

const POOL = { volumeGroup: 'qubes_dom0', thinPool: 'vm-pool' } as const;
const A = 'qubes_dom0/vm-a-private';
const FRESH = '--setactivationskip=n --activate=y';
const STEP = '--addtag domtrail --addtag dt.cmd=c1 --addtag dt.step=1';
const REPORT = ['lvm', ...reportWords(POOL)] as const;

const words = (line: string): Argv => line.split(' ') as [string, ...string[]];

/** In order, on one pool; what a command leaves behind is what the next one meets. */
const COMMANDS: readonly Argv[] = [
  ...[
    `lvm lvcreate --thin ${FRESH} ${STEP} --name=vm-a-private --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    `lvm lvcreate --thin ${FRESH} --name=vm-a-private --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    `lvm lvcreate --thin ${FRESH} --name=vm-odd --virtualsize=5243392B -- qubes_dom0/vm-pool`,
    `lvm lvcreate --thin ${FRESH} --name=vm-x --virtualsize=4194305B -- qubes_dom0/vm-pool`,
    `lvm lvcreate --thin ${FRESH} --name=vm-x --virtualsize=4194304B -- qubes_dom0/nopool`,
    `lvm lvcreate --thin ${FRESH} --name=vm-x --virtualsize=4194304B -- novg/vm-pool`,
    `lvm lvcreate ${FRESH} --snapshot ${STEP} --name=${A}-snap -- ${A}`,
    `lvm lvcreate ${FRESH} --snapshot --name=${A}-snap -- ${A}`,
    `lvm lvcreate ${FRESH} --snapshot --name=qubes_dom0/vm-x -- qubes_dom0/vm-missing`,
    `lvm lvcreate --snapshot --name=${A}-skip -- ${A}`,
    `lvm lvchange --activate=y -- ${A}-skip`,
  ].map(words),
  REPORT,
  deviceInfoArgv('qubes_dom0-vm--a--private'),
  deviceInfoArgv('qubes_dom0-vm--a--private--skip'),
  ...[
    'dmsetup status qubes_dom0-nopool-tpool',
    'blkdiscard -p 1G /dev/mapper/qubes_dom0-vm--a--private--skip',
    `lvm lvrename -- ${A} ${A}-1700000000-back`,
    `lvm lvrename -- ${A} ${A}-1700000000-back`,
    `lvm lvrename -- ${A}-snap ${A}-1700000000-back`,
    `lvm lvrename -- ${A}-snap ${A}`,
    `lvm lvresize --size=8388608B -- ${A}`,
    `lvm lvresize --size=8388608B -- ${A}`,
    `lvm lvresize --size=4194304B -- ${A}`,
    `lvm lvresize -y --size=4194304B -- ${A}`,
    'lvm lvresize --size=4194304B -- qubes_dom0/vm-missing',
    `lvm lvremove --force -y -S lv_uuid=abcdef-0000-0000-0000-0000-0000-000000 -- ${A}`,
    'lvm lvremove --force -y -- qubes_dom0/vm-missing',
  ].map(words),
  REPORT,
  words(`lvm lvremove --force -y -- ${A}-1700000000-back`),
  words('lvm lvs --reportformat json -o origin_uuid,lv_attr -- novg'),
  REPORT,
];

const GUESSED = new Set(['metadata_percent', 'metadata_size', 'lv_metadata_size']);

/** UUIDs in order of appearance, and without what the model does not claim to know: minor numbers, metadata use. */
const normal = () => {
  const ids = new Map<string, string>();
  return (text: string): string =>
    text
      .replaceAll(/\w{6}(?:-\w{4}){5}-\w{6}/g, (id) => {
        if (!ids.has(id)) ids.set(id, `UUID-${ids.size + 1}`);
        return ids.get(id) ?? id;
      })
      .replaceAll(/LVM-\w{64}/g, 'LVM-UUID')
      .replaceAll(/253:\d+/g, '253:N');
};

/** What LVM counts; an empty pool has no `-tpool` device that the kernel could be asked about. */
const idOf = async (runs: Run): Promise<number> => {
  const { stdout } = await runs(words('lvm lvs --reportformat json -o transaction_id -- qubes_dom0/vm-pool'));
  return Number(/"transaction_id": ?"(\d+)"/.exec(stdout)?.[1]);
};

const kernelIdOf = async (runs: Run): Promise<number> => {
  const { stdout } = await runs(poolStatusArgv('qubes_dom0-vm--pool-tpool'));
  return Number(/ thin-pool (\d+) /.exec(stdout)?.[1]);
};

/** Transaction ids count from `base`, which in the lab is not 0 when another suite has used the pool before. */
const rows = (stdout: string, base: number): unknown => {
  const parsed = JSON.parse(stdout) as { report: { lv: Record<string, string>[] }[] };
  const lvs = parsed.report[0]?.lv ?? [];
  const counted = lvs.map((row) =>
    row['transaction_id'] ? { ...row, transaction_id: `${Number(row['transaction_id']) - base}` } : row,
  );
  const known = counted.map((row) => Object.fromEntries(Object.entries(row).filter(([field]) => !GUESSED.has(field))));
  return known.sort((one, other) => (one['lv_name'] ?? '').localeCompare(other['lv_name'] ?? ''));
};

beforeEach(async () => {
  await labPool();
});
afterEach(removeAll);

test('the model answers every command as LVM does', async () => {
  const onModel = runOnModel(createLvmModel());
  const real = { words: normal(), base: await idOf(run) };
  const model = { words: normal(), base: await idOf(onModel) };
  const differences: unknown[] = [];
  for (const argv of COMMANDS) {
    const [one, other] = [await run(argv), await onModel(argv)];
    const told = (place: typeof real, { evidence, stdout }: typeof one) => ({
      exitCode: evidence.exitCode,
      stdout: stdout.trimStart().startsWith('{') ? rows(place.words(stdout), place.base) : place.words(stdout),
      stderr: place.words(evidence.stderr),
    });
    const [isReal, isModel] = [told(real, one), told(model, other)];
    if (JSON.stringify(isReal) !== JSON.stringify(isModel)) differences.push({ argv: argv.join(' '), isReal, isModel });
  }
  expect(JSON.stringify(differences, null, 1)).toBe('[]');
});

test('the kernel has the transaction id that the model gives it, counted from a fresh pool', async () => {
  const model = runOnModel(createLvmModel());
  const line = words(`lvm lvcreate --thin ${FRESH} --name=vm-b --virtualsize=4194304B -- qubes_dom0/vm-pool`);
  const [realBefore, modelBefore] = [await idOf(run), await idOf(model)];
  await run(line);
  await model(line);
  expect((await kernelIdOf(model)) - modelBefore).toBe(1);
  expect((await kernelIdOf(run)) - realBefore).toBe(1);
});
