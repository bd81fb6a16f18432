import { exitOf, type Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Compared } from '../../infrastructure/checkpoint/compare.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText } from '../../infrastructure/cli/text.ts';
import { closeLedger, type Ledger, openLedger, snapshot } from '../../infrastructure/ledger/ledger.ts';
import { type Verified, verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { findHome } from '../../infrastructure/service/home.ts';
import { PROJECTIONS } from '../compose.ts';
import { keptCheckpoints } from '../kept-checkpoints.ts';

const HELP = `domtrail verify: prove that the log was not edited, cut or rewritten

  domtrail verify
  domtrail verify --db copy-of-ledger.db
  domtrail verify --head HASH     the head you noted must still be in the chain
  domtrail verify --against FILE --public-key PUB
                                  every checkpoint in FILE, one a line

Checks the hash chain, the order, the command log, that state and projections
equal a replay, and SQLite's structure. Exit 6 with the first bad position.
Keep its head somewhere else (domtrail checkpoint signs it): a log that was cut or
rewritten as a whole can only be told by a head that was kept outside. Without
--public-key a checkpoint with a signature of anybody's is believed.
`;

/** All of one state of the log: what it says of itself, and what was noted of it elsewhere. */
const proved = async (args: Arguments, ledger: Ledger): Promise<Result<Verified, Failure>> => {
  const against = await keptCheckpoints(args);
  if (!against.ok) return against;
  return ok(
    snapshot(ledger, () => {
      const verified = verifyLedger(ledger, args.text('head') ?? null);
      return against.value ? withCompared(verified, against.value(ledger)) : verified;
    }),
  );
};

const withCompared = (verified: Verified, { checks, firstBadPosition }: Compared): Verified => {
  const bad = [verified.firstBadPosition, firstBadPosition].flatMap((one) => (one === null ? [] : [one]));
  return {
    ...verified,
    ok: verified.ok && checks.every((check) => check.ok),
    firstBadPosition: bad.length === 0 ? null : Math.min(...bad),
    checks: [...verified.checks, ...checks],
  };
};

const tell = (args: Arguments, verified: Verified): void => {
  const asOf = { position: verified.head.position, time: null };
  if (args.flag('json')) outJson('verify', asOf, { item: verified });
  else {
    out(
      verified.checks
        .map((check) => `${check.ok ? 'ok  ' : 'BAD '} ${check.name.padEnd(20)} ${escapeText(check.detail)}\n`)
        .join(''),
    );
    if (verified.firstBadPosition !== null) out(`first bad position: ev:${verified.firstBadPosition}\n`);
    out(`head ev:${verified.head.position} ${verified.head.hash}\n`);
  }
};

const verify: Action = {
  options: { head: 'value', against: 'value', 'public-key': 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'verify');
    if (!words.ok) return words;
    if (args.text('at') !== undefined) return err(usage('verify proves the whole log; it takes no --at', 'verify'));
    const file = args.text('db') ?? findHome(args.text('home')).ledger;
    const ledger = openLedger(file, 'read', PROJECTIONS);
    if (!ledger.ok) return ledger;
    const verified = await proved(args, ledger.value);
    closeLedger(ledger.value);
    if (!verified.ok) return verified;
    tell(args, verified.value);
    return ok(verified.value.ok ? 0 : exitOf('D_VERIFY'));
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(verify, 'verify', argv);
