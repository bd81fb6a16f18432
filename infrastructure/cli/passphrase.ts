import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, usage } from './arguments.ts';
import { talk } from './output.ts';

const checked = (text: string): Result<string, Failure> => {
  if (text === '') return err(failure('D_BAD_INPUT', 'the passphrase is empty'));
  if (text.includes('\0')) return err(failure('D_BAD_INPUT', 'a passphrase cannot hold a NUL'));
  if (text !== text.trim()) talk('warning: the passphrase begins or ends with a blank; stock tools may cut it off\n');
  return ok(text);
};

const fromFile = (file: string): Result<string, Failure> => {
  try {
    return checked(readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '');
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return err(failure('D_BAD_INPUT', `the passphrase file cannot be read`, { cause }));
  }
};

/** What is typed is not shown: readline's output goes nowhere. */
const typed = (question: string): Promise<string> =>
  new Promise((resolve) => {
    talk(question);
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
    lines.question('', (answer) => {
      lines.close();
      resolve(answer);
    });
    lines.once('close', () => {
      talk('\n');
      resolve('');
    });
  });

/** One to be set: typed twice, because nobody sees what is typed. */
export const newPassphraseFor = async (args: Arguments, topic: string): Promise<Result<string, Failure>> => {
  const once = await passphraseFor(args, topic);
  if (!once.ok || args.text('passphrase-file') !== undefined) return once;
  const again = await typed('Again: ');
  return again === once.value ? once : err(failure('D_BAD_INPUT', 'the two passphrases differ'));
};

/** The passphrase: the first line of `--passphrase-file`, else asked for on the terminal; without either, usage. */
export const passphraseFor = async (args: Arguments, topic: string): Promise<Result<string, Failure>> => {
  const file = args.text('passphrase-file');
  if (file !== undefined) return fromFile(file);
  if (!process.stdin.isTTY) return err(usage('no terminal to ask for the passphrase: --passphrase-file FILE', topic));
  return checked(await typed('Passphrase: '));
};
