import { resolve } from 'node:path';
import { formatBytes } from '../../domain/bytes.ts';
import type { Failure } from '../../domain/failure.ts';
import { DEFAULT_REVISIONS_TO_KEEP, type Pool } from '../../domain/pool/pool.ts';
import { DATA_PERCENT, METADATA_PERCENT, roomsIn } from '../../domain/pool/reserve.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson, talk } from '../../infrastructure/cli/output.ts';
import { warningsOf } from '../../infrastructure/cli/pool-warnings.ts';
import { escapeText, table } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { built, changingIn, say } from '../changing.ts';
import { driverFor, openReading } from '../compose.ts';

const HELP = `domtrail pool: where the disks are

  domtrail pool add vm-pool lvm_thin --vg qubes_dom0 --thin-pool vm-pool
  domtrail pool add files file-reflink --dir /srv/domtrail
  domtrail pool add kernels linux-kernel --dir /var/lib/qubes/vm-kernels
  domtrail pool reserve vm-pool --data 10 --metadata 20
  domtrail pool remove files
  domtrail pool list

Adding a pool looks whether it is there and fit for use. Options:
--revisions-to-keep N (default 1, -1: no snapshots), --plan, -m, --id, --json.
A command that might take more than a pool has above its reserve is refused (exit
7). The reserve is given in percent; without options it suits the pool's size.
`;

const changing = changingIn('pool', HELP);

/** The definition that the words of `pool add` describe. */
export const definitionOf = (
  args: Arguments,
  name: string | undefined,
  driver: string | undefined,
): Result<object, Failure> => {
  const keep = Number(args.text('revisions-to-keep') ?? DEFAULT_REVISIONS_TO_KEEP);
  const keeping = { revisionsToKeep: keep, ephemeralVolatile: args.flag('ephemeral-volatile') };
  const dir = args.text('dir');
  switch (driver) {
    case 'lvm_thin':
      return ok({
        driver,
        name,
        volumeGroup: args.text('vg') ?? '',
        thinPool: args.text('thin-pool') ?? '',
        ...keeping,
      });
    case 'file-reflink':
      return dir === undefined
        ? err(usage('--dir is missing', 'pool'))
        : ok({ driver, name, dir: resolve(dir), ...keeping });
    case 'linux-kernel':
      return dir === undefined ? err(usage('--dir is missing', 'pool')) : ok({ driver, name, dir: resolve(dir) });
    default:
      return err(usage(`there is no driver ${JSON.stringify(driver)}: lvm_thin, file-reflink or linux-kernel`, 'pool'));
  }
};

export const POOL_OPTIONS = {
  vg: 'value',
  'thin-pool': 'value',
  dir: 'value',
  'revisions-to-keep': 'value',
  'ephemeral-volatile': 'flag',
} as const;

const addAction = changing({
  topic: 'pool-add',
  words: ['NAME', 'DRIVER'],
  build: (args, [name, driver]) => {
    const definition = definitionOf(args, name, driver);
    return definition.ok ? built('AddPool', { definition: definition.value }) : definition;
  },
  show: (_service, [name]) => say(`pool ${name} added`),
  options: POOL_OPTIONS,
});

/** A pool that is not there must not get into the log, so it is looked at before the command is. */
const add: Action = {
  ...addAction,
  run: async (args) => {
    const [name, driver] = args.values;
    const definition = definitionOf(args, name, driver);
    const command = definition.ok ? await built('AddPool', { definition: definition.value }) : definition;
    if (!command.ok) return command;
    if (!args.flag('plan') && command.value.name === 'AddPool') {
      const prepared = await driverFor(command.value.payload.definition as Pool).prepare();
      if (!prepared.ok) return prepared;
    }
    return addAction.run(args);
  },
};

/** Both from the options, the one left out as the standard has it for a large pool; null without any. */
const reserveOf = (args: Arguments): Result<object | null, Failure> => {
  const [data, metadata] = [args.text('data'), args.text('metadata')];
  if (data === undefined && metadata === undefined) return ok(null);
  if ([data, metadata].some((text) => text !== undefined && !/^[0-9]{1,2}$/.test(text)))
    return err(usage('--data and --metadata take whole percentages, 0 to 90', 'pool'));
  return ok({ data: Number(data ?? DATA_PERCENT), metadata: Number(metadata ?? METADATA_PERCENT) });
};

const usageOf = async (pool: Pool) => {
  const usageNow = await driverFor(pool).usage();
  return usageNow.ok ? usageNow.value : null;
};

const list: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'pool');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger, live } = reading.value;
    closeLedger(ledger);
    const items = [];
    const warnings: string[] = [];
    for (const pool of host.pools.values()) {
      const seen = live ? await usageOf(pool) : null;
      items.push({ ...pool, usage: seen, rooms: seen ? roomsIn(pool, seen) : [] });
      if (seen) warnings.push(...warningsOf(pool, seen));
    }
    if (args.flag('json')) outJson('pool-list', asOf, { items });
    else {
      const rows = items.map((pool) => [
        pool.name,
        pool.driver,
        pool.driver === 'lvm_thin' ? `${pool.volumeGroup}/${pool.thinPool}` : pool.dir,
        pool.usage ? `${formatBytes(pool.usage.usedBytes)} of ${formatBytes(pool.usage.bytes)}` : '-',
      ]);
      out(table(['NAME', 'DRIVER', 'WHERE', 'USED'], rows, lineWidth()));
      for (const warning of warnings) talk(`warning: ${escapeText(warning)}\n`);
    }
    return ok(0);
  },
};

const ACTIONS: Readonly<Record<string, Action>> = {
  add,
  list,
  reserve: changing({
    topic: 'pool-reserve',
    words: ['NAME'],
    build: (args, [name]) => {
      const reserve = reserveOf(args);
      return reserve.ok ? built('SetPoolReserve', { name, reserve: reserve.value }) : reserve;
    },
    show: (_service, [name]) => say(`reserve of pool ${name} set`),
    options: { data: 'value', metadata: 'value' },
  }),
  remove: changing({
    topic: 'pool-remove',
    words: ['NAME'],
    build: (_args, [name]) => built('RemovePool', { name }),
    show: (_service, [name]) => say(`pool ${name} removed from the log; its storage is untouched`),
  }),
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('pool', ACTIONS, HELP, argv);
