import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Checkpoint,
  checkpointLine,
  parseCheckpoints,
  publicKeyText,
  signCheckpoint,
} from '../../infrastructure/checkpoint/checkpoint.ts';
import { compareCheckpoints, statementOf } from '../../infrastructure/checkpoint/compare.ts';
import { makeKey, publicKeyPem, readKey, readPublicKey } from '../../infrastructure/checkpoint/key-file.ts';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { eventHash, sha256 } from '../../infrastructure/ledger/hashes.ts';
import type { Ledger } from '../../infrastructure/ledger/ledger.ts';
import { codeOf, commanding, errorOf, fact, must, temporaryDirectory, writable } from './fixture.ts';

const KEY = generateKeyPairSync('ed25519').privateKey;
const TIME = '2026-11-22T19:40:31.000Z';

const signed = (ledger: Ledger, key: KeyObject = KEY): Checkpoint => {
  const statement = statementOf(ledger, TIME);
  if (!statement) throw new Error('the ledger is empty');
  return signCheckpoint(statement, key);
};

const holds = (ledger: Ledger, text: string, key: string | null = null) =>
  compareCheckpoints(ledger, must(parseCheckpoints(text)), key);

const add = (ledger: Ledger, id: string): void => {
  must(accept(ledger, commanding(id, [fact(id)])));
};

/** Six events, with a checkpoint after every command. */
const witnessed = (): { readonly ledger: Ledger; readonly lines: readonly string[] } => {
  const ledger = writable();
  const lines = ['c1', 'c2', 'c3'].map((id) => {
    add(ledger, id);
    return checkpointLine(signed(ledger));
  });
  return { ledger, lines };
};

type Row = { stream: string; version: number; type: string; command: string; time: number; data: string };

/** Rewrites the log from an event on as somebody would who knows the format: every later hash is right again. */
const rewriteFrom = ({ db }: Ledger, first: number): void => {
  const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  for (const name of triggers) db.exec(`DROP TRIGGER ${name}`);
  db.prepare('UPDATE events SET time = time + 1 WHERE position = ?').run(first);
  const hashAt = db.prepare('SELECT lower(hex(hash)) FROM events WHERE position = ?').pluck();
  const rowAt = db.prepare('SELECT * FROM events WHERE position = ?');
  const put = db.prepare('UPDATE events SET prev_hash = unhex(?), hash = unhex(?) WHERE position = ?');
  const last = db.prepare('SELECT max(position) FROM events').pluck().get() as number;
  for (let position = first; position <= last; position++) {
    const previous = (hashAt.get(position - 1) as string | undefined) ?? '0'.repeat(64);
    const row = rowAt.get(position) as Row;
    const hash = eventHash(previous, { ...row, position, schemaVersion: 1 }, sha256(row.data));
    put.run(previous, hash, position);
  }
};

describe('a signed head', () => {
  test('still holds for a ledger that only grew', () => {
    const { ledger, lines } = witnessed();
    add(ledger, 'c4');
    const { checks, firstBadPosition } = holds(ledger, lines.join(''), publicKeyText(KEY));
    expect(firstBadPosition).toBeNull();
    expect(checks).toEqual([
      {
        name: 'checkpoints',
        ok: true,
        detail: expect.stringMatching(/^all 3 heads, the newest of ev:6 .* key you gave/),
      },
    ]);
  });

  test('finds newest events that were cut off, whatever else was made to fit', () => {
    const { ledger, lines } = witnessed();
    const shorter = writable();
    ledger.db.exec(`ATTACH '${shorter.file}' AS other`);
    ledger.db.exec('INSERT INTO other.commands SELECT * FROM commands WHERE seq < 3');
    ledger.db.exec('INSERT INTO other.events SELECT * FROM events WHERE position < 5');
    const { checks, firstBadPosition } = holds(shorter, lines.join(''));
    expect(firstBadPosition).toBe(5);
    expect(checks).toEqual([{ name: 'checkpoint 3', ok: false, detail: expect.stringContaining('the log was cut') }]);
  });

  test('finds a log rewritten with right hashes, and between which checkpoints', () => {
    const { ledger, lines } = witnessed();
    rewriteFrom(ledger, 4);
    const { checks, firstBadPosition } = holds(ledger, lines.join(''));
    expect(firstBadPosition).toBe(4);
    expect(checks.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('an event from ev:3 to ev:4'),
      expect.stringContaining('an event from ev:3 to ev:6'),
    ]);
  });

  test('finds that the ledger is another one', () => {
    const { lines } = witnessed();
    const other = writable();
    add(other, 'd1');
    expect(holds(other, lines[0] ?? '')).toMatchObject({
      firstBadPosition: 1,
      checks: [{ ok: false, detail: expect.stringContaining('another ledger') }],
    });
  });

  test('says who signed only with the public key at hand', () => {
    const { ledger } = witnessed();
    const forged = checkpointLine(signed(ledger, generateKeyPairSync('ed25519').privateKey));
    expect(holds(ledger, forged).checks[0]).toMatchObject({
      ok: true,
      detail: expect.stringContaining('--public-key'),
    });
    expect(holds(ledger, forged, publicKeyText(KEY))).toMatchObject({
      firstBadPosition: null,
      checks: [{ ok: false, detail: 'line 1 was signed with another key' }],
    });
  });

  test('does not hold with any character of it changed, removed or added', () => {
    const { ledger, lines } = witnessed();
    const line = (lines[2] ?? '').trimEnd();
    const change = fc.tuple(fc.nat(line.length - 1), fc.constantFrom('', '0', 'x', '"', ' ', '}', 'A', '1'));
    fc.assert(
      fc.property(change, fc.boolean(), ([at, text], instead) => {
        const changed = `${line.slice(0, at)}${text}${line.slice(instead ? at + 1 : at)}`;
        // Blanks between tokens mean nothing in JSON, and what is signed is the canonical form.
        if (changed === line || /\S/.test(text) === false) return;
        const ok = holds(ledger, `${changed}\n`, publicKeyText(KEY)).checks.every((check) => check.ok);
        expect(ok, changed).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('is one line of canonical JSON, and the document of --json reads as well', () => {
    const { ledger, lines } = witnessed();
    const line = lines[2] ?? '';
    expect(Object.keys(JSON.parse(line) as object)).toEqual([
      'commands',
      'format',
      'hash',
      'ledger',
      'position',
      'publicKey',
      'signature',
      'time',
    ]);
    const document = JSON.stringify({ schema: 'domtrail/checkpoint/1', item: JSON.parse(line) as unknown });
    expect(holds(ledger, document).firstBadPosition).toBeNull();
    expect(codeOf(parseCheckpoints('\n \n'))).toBe('D_BAD_INPUT');
  });

  test('never holds against text that is no checkpoint', () => {
    const { ledger } = witnessed();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const kept = parseCheckpoints(text);
        if (kept.ok) expect(compareCheckpoints(ledger, kept.value, null).checks.every(({ ok }) => !ok)).toBe(true);
      }),
    );
  });
});

describe('the key of checkpoints', () => {
  test('is made once, for its owner only, and gives its public half', () => {
    const path = join(temporaryDirectory(), 'checkpoint.key');
    const key = must(makeKey(path));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(codeOf(makeKey(path))).toBe('D_EXISTS');
    expect(publicKeyText(must(readKey(path)))).toBe(publicKeyText(key));
    const half = join(temporaryDirectory(), 'public.pem');
    writeFileSync(half, publicKeyPem(key));
    expect(publicKeyText(must(readPublicKey(half)))).toBe(publicKeyText(key));
    expect(codeOf(readPublicKey(path))).toBe('D_BAD_INPUT');
  });

  test('is refused when others may read it', () => {
    const path = join(temporaryDirectory(), 'checkpoint.key');
    must(makeKey(path));
    chmodSync(path, 0o640);
    expect(codeOf(readKey(path))).toBe('D_KEY_EXPOSED');
  });

  test('is never quoted in a refusal', () => {
    const path = join(temporaryDirectory(), 'checkpoint.key');
    must(makeKey(path));
    const secret = readFileSync(path, 'utf8').split('\n')[1] ?? '';
    expect(createPrivateKey(readFileSync(path)).asymmetricKeyType).toBe('ed25519');
    writeFileSync(path, readFileSync(path, 'utf8').replace('-----END', '!-----END'));
    const refusal = errorOf(readKey(path));
    expect(refusal.code).toBe('D_BAD_INPUT');
    expect(JSON.stringify(refusal)).not.toContain(secret.slice(0, 16));
    writeFileSync(path, generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(codeOf(readKey(path))).toBe('D_BAD_INPUT');
    expect(codeOf(readKey(join(path, 'none')))).toBe('D_NOT_FOUND');
  });
});
