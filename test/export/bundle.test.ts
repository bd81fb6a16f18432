import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECTIONS } from '../../bin/compose.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { checkpointLine, parseCheckpoints, signCheckpoint } from '../../infrastructure/checkpoint/checkpoint.ts';
import { compareCheckpoints, statementOf } from '../../infrastructure/checkpoint/compare.ts';
import { writeBundle } from '../../infrastructure/export/write-bundle.ts';
import { foldTo } from '../../infrastructure/ledger/fold.ts';
import { type Ledger, openLedger, readHead } from '../../infrastructure/ledger/ledger.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { replayLog } from '../../infrastructure/service/replay.ts';
import { start, stop } from '../domain/commands.ts';
import { smallHost } from '../domain/hosts.ts';
import { codeOf, must, open, temporaryDirectory } from '../ledger/fixture.ts';
import { accepts } from '../scenarios/history.ts';
import { writeHistory } from '../scenarios/write-history.ts';
import { secretiveLedger } from './secretive.ts';

const bundle = (ledger: Ledger, wanted: { after?: number; to?: number; redact?: boolean } = {}): Ledger => {
  const file = join(temporaryDirectory(), 'bundle.db');
  const all = { after: 0, to: readHead(ledger).position, redact: false, projections: PROJECTIONS, ...wanted };
  must(writeBundle(ledger, file, all, false));
  return open(file, 'read', PROJECTIONS);
};

const failing = (ledger: Ledger) => verifyLedger(ledger).checks.filter(({ ok }) => !ok);
const stateAt = (ledger: Ledger, position: number) => JSON.stringify([...foldTo(ledger, position).vms.values()]);

describe('a bundle', () => {
  test('of a whole log has the same head, verifies, and replays', () => {
    const ledger = secretiveLedger();
    const copy = bundle(ledger);
    expect(readHead(copy)).toEqual(readHead(ledger));
    expect(failing(copy)).toEqual([]);
    const all = { after: 0, to: readHead(ledger).position };
    expect(replayLog(copy, all, INVARIANTS)).toEqual(replayLog(ledger, all, INVARIANTS));
  });

  test('of a range goes on from the hash and the state before it', () => {
    const ledger = secretiveLedger();
    const to = readHead(ledger).position - 3;
    const part = bundle(ledger, { after: 100, to });
    expect(failing(part)).toEqual([]);
    expect(verifyLedger(part).events).toBe(to - 100);
    for (const position of [100, 133, to]) expect(stateAt(part, position)).toBe(stateAt(ledger, position));
    const stretch = { after: 100, to };
    const { start: _start, ...replayed } = replayLog(ledger, stretch, INVARIANTS);
    expect(replayLog(part, stretch, INVARIANTS)).toMatchObject(replayed);
  });

  test.each([false, true])(
    'of a range that begins in the middle of a command has that command (redacted: %s)',
    (redact) => {
      const story = smallHost();
      const { id, plan } = accepts(story, start('work'), 'nothing', () => ({}));
      const begun = story.host.position;
      story.carryOut(id, plan);
      const ledger = writeHistory(story);
      const part = bundle(ledger, { after: begun + 1, redact });
      expect(failing(part)).toEqual([]);
      expect(part.db.prepare('SELECT name FROM commands').pluck().all()).toEqual(['StartVM']);
      const stretch = { after: begun + 1, to: readHead(ledger).position };
      expect(replayLog(part, stretch, INVARIANTS).breaches).toEqual([]);
    },
  );

  test.each([false, true])('shows any change to it (redacted: %s)', (redact) => {
    const ledger = writeHistory(smallHost().after(start('work'), stop('work')));
    const { file } = bundle(ledger, { after: 20, redact });
    const changed = must(openLedger(file, 'read', PROJECTIONS));
    changed.db.pragma('query_only = OFF');
    changed.db.exec('DROP TRIGGER events_are_never_changed');
    changed.db.exec('UPDATE events SET time = time + 1 WHERE position = 30');
    expect(verifyLedger(changed)).toMatchObject({ ok: false, firstBadPosition: 30 });
    changed.db.close();
  });

  test('holds against checkpoints of the log that are about its events', () => {
    const ledger = writeHistory(smallHost());
    const statement = statementOf(ledger, '2026-11-22T19:40:31.000Z');
    if (!statement) throw new Error('the ledger is empty');
    const { privateKey } = generateKeyPairSync('ed25519');
    const kept = must(parseCheckpoints(checkpointLine(signCheckpoint(statement, privateKey))));
    const ok = (one: Ledger): boolean => compareCheckpoints(one, kept, null).checks.every((check) => check.ok);
    expect(ok(bundle(ledger))).toBe(true);
    expect(ok(bundle(ledger, { after: 9 }))).toBe(true);
    expect(ok(bundle(ledger, { redact: true }))).toBe(true);
    expect(ok(bundle(ledger, { to: 9 }))).toBe(false);
    expect(ok(bundle(ledger, { to: 9, redact: true }))).toBe(false);
    expect(ok(bundle(writeHistory(smallHost(3))))).toBe(false);
  });

  test('goes over no file unless it is told to, is for its owner only, and leaves nothing beside it', () => {
    const ledger = writeHistory(smallHost());
    const file = join(temporaryDirectory(), 'bundle.db');
    writeFileSync(file, 'something else');
    const all = { after: 0, to: readHead(ledger).position, redact: false, projections: PROJECTIONS };
    expect(codeOf(writeBundle(ledger, file, all, false))).toBe('D_EXISTS');
    must(writeBundle(ledger, file, all, true));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(file))).toEqual(['bundle.db']);
    expect(codeOf(openLedger(file, 'write', PROJECTIONS))).toBe('D_HOME_FOREIGN');
    expect(codeOf(writeBundle(ledger, join(file, 'below'), all, false))).not.toBe('ok');
  });
});
