import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { appendLine } from '../../infrastructure/checkpoint/append-line.ts';
import { type Checkpoint, checkpointLine, signCheckpoint } from '../../infrastructure/checkpoint/checkpoint.ts';
import { statementOf } from '../../infrastructure/checkpoint/compare.ts';
import { makeKey, publicKeyPem, readKey } from '../../infrastructure/checkpoint/key-file.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson, talk } from '../../infrastructure/cli/output.ts';
import { closeLedger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { findHome } from '../../infrastructure/service/home.ts';

const HELP = `domtrail checkpoint: sign the log's head, to keep it elsewhere

  domtrail checkpoint                  prints one line: position, hash, signature
  domtrail checkpoint -o FILE          adds the line to FILE
  domtrail checkpoint --key FILE       signs with that Ed25519 key (PEM), from a
                                       vault for instance; a pipe will do
  domtrail checkpoint --init-key FILE  makes such a key, prints its public half
  domtrail checkpoint --show-key       the public half again

Keep the lines where whoever can write the log cannot reach them: another machine,
paper, a log host. Later: domtrail verify --against FILE --public-key PUB.
Without --key the key is checkpoint.key in the home, made when it is missing. A key
beside the log proves less than one elsewhere: who can rewrite the log can sign with
it, and only lines that were carried away in time still tell.
`;

const NOWHEN = { position: 0, time: null };

const ownKey = (args: Arguments): string => join(findHome(args.text('home')).dir, 'checkpoint.key');

/** The key to sign with. Only the home's own is made when it is missing: a mistyped name must not become a new key. */
const signingKey = (args: Arguments): Result<KeyObject, Failure> => {
  const given = args.text('key');
  if (given !== undefined) return readKey(given);
  if (args.text('db') !== undefined) {
    return err(usage('a copy has no key of its own: say --key FILE', 'checkpoint'));
  }
  const path = ownKey(args);
  if (existsSync(path)) return readKey(path);
  const made = makeKey(path);
  if (made.ok) talk(`made ${path}; a key beside the log proves less than one elsewhere (domtrail help checkpoint)\n`);
  return made.ok || made.error.code !== 'D_EXISTS' ? made : readKey(path);
};

const signed = (args: Arguments): Result<Checkpoint, Failure> => {
  const file = args.text('db') ?? findHome(args.text('home')).ledger;
  const ledger = openLedger(file, 'read');
  if (!ledger.ok) return ledger;
  const statement = statementOf(ledger.value, new Date().toISOString());
  closeLedger(ledger.value);
  if (!statement) return err(failure('D_NOT_FOUND', `${file} has no event yet: there is no head to sign`));
  const key = signingKey(args);
  return key.ok ? ok(signCheckpoint(statement, key.value)) : key;
};

const initKey = (args: Arguments, path: string): Result<number, Failure> => {
  const made = makeKey(resolve(path));
  if (!made.ok) return made;
  showKey(args, made.value);
  return ok(0);
};

const showKey = (args: Arguments, key: KeyObject): void => {
  const pem = publicKeyPem(key);
  if (args.flag('json')) outJson('checkpoint', NOWHEN, { item: { publicKey: pem } });
  else out(pem);
};

const sign = (args: Arguments): Result<number, Failure> => {
  const checkpoint = signed(args);
  if (!checkpoint.ok) return checkpoint;
  const { position, time } = checkpoint.value;
  const line = checkpointLine(checkpoint.value);
  const file = args.text('output');
  const kept = file === undefined || file === '-' ? ok(null) : appendLine(file, line);
  if (!kept.ok) return kept;
  if (args.flag('json')) outJson('checkpoint', { position, time: Date.parse(time) }, { item: checkpoint.value });
  else if (file === undefined || file === '-') out(line);
  return ok(0);
};

const checkpoint: Action = {
  options: { output: 'value', key: 'value', 'init-key': 'value', 'show-key': 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'checkpoint');
    if (!words.ok) return words;
    if (args.text('at') !== undefined) return err(usage('only the present head can be signed', 'checkpoint'));
    const path = args.text('init-key');
    if (path !== undefined) return initKey(args, path);
    if (!args.flag('show-key')) return sign(args);
    const key = readKey(args.text('key') ?? ownKey(args));
    if (!key.ok) return key;
    showKey(args, key.value);
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(checkpoint, 'checkpoint', argv);
