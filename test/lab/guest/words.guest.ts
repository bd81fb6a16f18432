import { afterEach, beforeEach, expect, test } from 'vitest';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { createLvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { type Argv, reportWords } from '../../../infrastructure/drivers/lvm-thin/argv.ts';
import {
  deviceInfoArgv,
  deviceStatusArgv,
  setTransactionArgv,
} from '../../../infrastructure/drivers/lvm-thin/device-argv.ts';
import type { Run } from '../../../infrastructure/drivers/lvm-thin/work.ts';
import { run } from '../../../infrastructure/process/run.ts';
import { labPool, removeAll } from './real-bench.ts';

const POOL = { volumeGroup: 'qubes_dom0', thinPool: 'vm-pool' } as const;
const A = 'qubes_dom0/vm-a-private';
const FRESH = '--setactivationskip=n --activate=y';
const POOL_DEVICE = 'qubes_dom0-vm--pool-tpool';
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

const NEW = `lvm lvcreate --thin ${FRESH} --virtualsize=4194304B`;

/** A pool whose ids have run apart: nothing can be made, a removal drops the LV and fails, names can still be changed. */
const apart = (base: number): readonly Argv[] => [
  words(`${NEW} --name=vm-a-private -- qubes_dom0/vm-pool`),
  words(`${NEW} --name=vm-b-private -- qubes_dom0/vm-pool`),
  setTransactionArgv(POOL_DEVICE, base + 2, base + 7),
  words(`${NEW} --name=vm-c-private -- qubes_dom0/vm-pool`),
  words(`lvm lvcreate ${FRESH} --snapshot --name=${A}-snap -- ${A}`),
  words(`lvm lvresize --size=8388608B -- ${A}`),
  REPORT,
  words(`lvm lvrename -- ${A} ${A}-1700000000-back`),
  words('lvm lvremove --force -y -- qubes_dom0/vm-b-private'),
  REPORT,
  setTransactionArgv(POOL_DEVICE, base + 7, base + 2),
  words(`${NEW} --name=vm-d-private -- qubes_dom0/vm-pool`),
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
  const { stdout } = await runs(deviceStatusArgv(POOL_DEVICE));
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

type Place = { readonly runs: Run; readonly words: (text: string) => string; readonly base: number };

const placeOf = async (runs: Run): Promise<Place> => ({ runs, words: normal(), base: await idOf(runs) });

const counted = (text: string, base: number): string =>
  text.replaceAll(
    /(transaction[ _]id (?:is )?|expect(?:ed|ing) )(\d+)/g,
    (_, said: string, id: string) => `${said}${Number(id) - base}`,
  );

const answer = async ({ runs, words: known, base }: Place, argv: Argv) => {
  const { evidence, stdout } = await runs(argv);
  return {
    exitCode: evidence.exitCode,
    stdout: stdout.trimStart().startsWith('{') ? rows(known(stdout), base) : known(stdout),
    stderr: counted(known(evidence.stderr), base),
  };
};

/** Where the model answers otherwise than LVM. `commandsFrom` is told the transaction id that each of them begins with. */
const differences = async (commandsFrom: (base: number) => readonly Argv[]): Promise<string> => {
  const [real, model] = [await placeOf(run), await placeOf(runOnModel(createLvmModel()))];
  const onModel = commandsFrom(model.base);
  const found: unknown[] = [];
  for (const [index, argv] of commandsFrom(real.base).entries()) {
    const isReal = await answer(real, argv);
    const isModel = await answer(model, onModel[index] ?? argv);
    if (JSON.stringify(isReal) !== JSON.stringify(isModel)) found.push({ argv: argv.join(' '), isReal, isModel });
  }
  return JSON.stringify(found, null, 1);
};

test('the model answers every command as LVM does', async () => {
  expect(await differences(() => COMMANDS)).toBe('[]');
});

test('and in a pool whose ids no crash explains', async () => {
  expect(await differences(apart)).toBe('[]');
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
