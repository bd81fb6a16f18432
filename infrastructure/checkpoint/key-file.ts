import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { errorCode, failureOf } from '../drivers/system-failure.ts';

const LARGEST = 16 * 1024;

const syncDirectory = (path: string): void => {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
};

const writeTemporary = (path: string, text: string): void => {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/**
 * A new Ed25519 key in `path` (PKCS 8, PEM, mode 0600), whole or not at all, never over another file. Errors: D_EXISTS, and
 * those of a file that cannot be written.
 */
export const makeKey = (path: string): Result<KeyObject, Failure> => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const temporary = `${path}~${process.pid}`;
  try {
    writeTemporary(temporary, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    linkSync(temporary, path);
    syncDirectory(dirname(path));
    return ok(privateKey);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return err(failure('D_EXISTS', `${path} exists; it was left alone`));
    return err(failureOf(error, `${path} cannot be written`));
  } finally {
    rmSync(temporary, { force: true });
  }
};

const open = (path: string): Result<number, Failure> => {
  try {
    return ok(openSync(path, 'r'));
  } catch (error) {
    const { cause } = failureOf(error, path);
    return err(failure('D_NOT_FOUND', `the key ${path} cannot be read`, cause === undefined ? {} : { cause }));
  }
};

/** What others may read is no secret any more; a pipe from a vault has no readers but us. */
const exposed = (file: number): boolean => {
  const stats = fstatSync(file);
  return stats.isFile() && (stats.mode & 0o077) !== 0;
};

const readText = (path: string, isSecret: boolean): Result<string, Failure> => {
  const opened = open(path);
  if (!opened.ok) return opened;
  try {
    if (isSecret && exposed(opened.value)) {
      const next = `chmod 600 ${path}   (and think about who may have read it)`;
      return err(failure('D_KEY_EXPOSED', `${path} can be read by others`, { next }));
    }
    const text = readFileSync(opened.value, 'latin1');
    return text.length > LARGEST ? err(failure('D_BAD_INPUT', `${path} is too large for a key`)) : ok(text);
  } catch (error) {
    return err(failureOf(error, `${path} cannot be read`));
  } finally {
    closeSync(opened.value);
  }
};

/** Nothing of what the parser says goes on: it might quote the key. */
const parsedBy = (path: string, kind: string, parse: () => KeyObject): Result<KeyObject, Failure> => {
  const next = kind === 'private' ? 'domtrail checkpoint --init-key FILE' : 'domtrail checkpoint --show-key';
  const refusal = failure('D_BAD_INPUT', `${path} holds no ${kind} Ed25519 key in PEM without a passphrase`, { next });
  try {
    const key = parse();
    return key.asymmetricKeyType === 'ed25519' ? ok(key) : err(refusal);
  } catch {
    return err(refusal);
  }
};

/**
 * The private key in a file. Errors: D_NOT_FOUND, D_KEY_EXPOSED when others may read it, D_BAD_INPUT when it is none. No
 * message holds anything of its content.
 */
export const readKey = (path: string): Result<KeyObject, Failure> => {
  const text = readText(path, true);
  return text.ok ? parsedBy(path, 'private', () => createPrivateKey(text.value)) : text;
};

/** The public half, in PEM. */
export const publicKeyPem = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

/** The public key in a PEM file. Errors: D_NOT_FOUND, D_BAD_INPUT. */
export const readPublicKey = (path: string): Result<KeyObject, Failure> => {
  const text = readText(path, false);
  if (!text.ok) return text;
  const isPublic = text.value.includes('BEGIN PUBLIC KEY');
  return parsedBy(path, 'public', () => {
    if (!isPublic) throw new Error('not a public key');
    return createPublicKey(text.value);
  });
};
