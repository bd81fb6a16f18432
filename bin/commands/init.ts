import { existsSync, mkdirSync, statSync } from 'node:fs';
import { type Failure, failure } from '../../domain/failure.ts';
import { DEFAULT_REVISIONS_TO_KEEP, type Pool } from '../../domain/pool/pool.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, CHANGING, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { runChange } from '../../infrastructure/cli/change.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { closeLedger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { findHome, type Home } from '../../infrastructure/service/home.ts';
import { built } from '../changing.ts';
import { driverFor, openService } from '../compose.ts';

const HELP = `domtrail init: make a home for the log

  domtrail init                        in --home DIR or DOMTRAIL_HOME
  domtrail init --pool vm-pool=lvm_thin:qubes_dom0/vm-pool
  domtrail init --pool /srv/images     plain files in that directory

Without --pool the pool "default" keeps plain files in the home itself.
A home that is there already is left as it is.
`;

type Definition = Record<string, unknown>;

/** `--pool DIR`, `--pool VG/POOL` or `--pool NAME=lvm_thin:VG/POOL`: the pool that new volumes go to. */
const poolFrom = (text: string | undefined, home: Home): Result<Definition, Failure> => {
  const keeping = { revisionsToKeep: DEFAULT_REVISIONS_TO_KEEP, ephemeralVolatile: false };
  if (text === undefined) return ok({ driver: 'file-reflink', name: 'default', dir: home.pool('default'), ...keeping });
  const lvm = /^(?:([^=/:]+)=)?(?:lvm_thin:)?([^/:=]+)\/([^/:=]+)$/.exec(text);
  if (text.startsWith('/')) return ok({ driver: 'file-reflink', name: 'default', dir: text, ...keeping });
  if (lvm)
    return ok({ driver: 'lvm_thin', name: lvm[1] ?? 'default', volumeGroup: lvm[2], thinPool: lvm[3], ...keeping });
  return err(usage('--pool takes a directory (/srv/images) or a thin pool (VG/POOL)', 'init'));
};

/** qubes.xml is written after the log's first commit: beside it, a missing or empty ledger was lost, not never made. */
const mustNotBeLost = (home: Home): Result<null, Failure> => {
  const bytes = existsSync(home.ledger) ? statSync(home.ledger).size : 0;
  if (bytes > 0 || !existsSync(home.qubesXml)) return ok(null);
  const message = `${home.dir} was in use, but its ledger is gone: a new one would know none of its volumes`;
  return err(failure('D_HOME_UNREADABLE', message, { next: `put a copy of ${home.ledger} back` }));
};

const makeHome = ({ dir }: Home): Result<null, Failure> => {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return ok(null);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return err(failure('D_HOME_UNREADABLE', `${dir} cannot be made`, { cause }));
  }
};

const already = (args: Arguments, home: Home): Result<boolean, Failure> => {
  const lost = mustNotBeLost(home);
  if (!lost.ok) return lost;
  if (!existsSync(home.ledger)) return ok(false);
  const ledger = openLedger(home.ledger, 'create');
  if (!ledger.ok) return ledger;
  const done = ledger.value.cache.head.position > 0;
  closeLedger(ledger.value);
  if (done) {
    if (args.flag('json')) outJson('init', { position: 0, time: null }, { item: { home: home.dir, created: false } });
    else out(`${home.dir} is a home already\n`);
  }
  return ok(done);
};

const init: Action = {
  options: { ...CHANGING, pool: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'init');
    if (!words.ok) return words;
    const home = findHome(args.text('home'));
    const done = already(args, home);
    if (!done.ok || done.value) return done.ok ? ok(0) : done;
    const pool = poolFrom(args.text('pool'), home);
    if (!pool.ok) return pool;
    const kernels = { driver: 'linux-kernel', name: 'linux-kernel', dir: home.kernels };
    const command = await built('InitHost', { pools: [pool.value, kernels] });
    if (!command.ok) return command;
    const made = makeHome(home);
    if (!made.ok) return made;
    const prepared = await driverFor(pool.value as unknown as Pool).prepare();
    if (!prepared.ok) return prepared;
    return runChange(openService(args, 'create'), args, () =>
      ok({
        topic: 'init',
        command: command.value,
        show: () => ({
          text: `${home.dir} is ready; next: domtrail vm create NAME --class TemplateVM\n`,
          fields: { home: home.dir, created: true },
        }),
      }),
    );
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(init, 'init', argv);
