import { exitOf } from '../../domain/failure.ts';
import { ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText } from '../../infrastructure/cli/text.ts';
import { closeLedger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { findHome } from '../../infrastructure/service/home.ts';
import { PROJECTIONS } from '../compose.ts';

const HELP = `domtrail verify: prove that the log was not edited, cut or rewritten

  domtrail verify
  domtrail verify --db copy-of-ledger.db
  domtrail verify --head HASH     the head you noted must still be in the chain

Checks the hash chain, the order, the command log, that state and projections
equal a replay, and SQLite's structure. Exit 6 with the first bad position.
Note the head it prints somewhere else: a log that was rewritten as a whole
can only be told by a head that was kept outside.
`;

const verify: Action = {
  options: { head: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'verify');
    if (!words.ok) return words;
    const file = args.text('db') ?? findHome(args.text('home')).ledger;
    const ledger = openLedger(file, 'read', PROJECTIONS);
    if (!ledger.ok) return ledger;
    const verified = verifyLedger(ledger.value, args.text('head') ?? null);
    closeLedger(ledger.value);
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
    return ok(verified.ok ? 0 : exitOf('D_VERIFY'));
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(verify, 'verify', argv);
