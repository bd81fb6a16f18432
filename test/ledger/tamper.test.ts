import { describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { commandDigest, eventHash, sha256 } from '../../infrastructure/ledger/hashes.ts';
import { type Ledger, readHead } from '../../infrastructure/ledger/ledger.ts';
import { record } from '../../infrastructure/ledger/record.ts';
import { type Verified, verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { commanding, counting, fact, ledgerFile, must, rejected, working, writable } from './fixture.ts';

/** Ten events: c1 = 1..3, c2 = 4, c3 = 5..6, c4 = 7..8 (open), c5 = 9..10. */
const history = (): Ledger => {
  const ledger = writable(ledgerFile(), [counting]);
  must(accept(ledger, commanding('c1', [fact('a'), fact('b')])));
  must(accept(ledger, rejected('c2')));
  must(accept(ledger, commanding('c3', [fact('c')], { reason: 'for a reason' })));
  must(accept(ledger, working('c4')));
  must(
    record(ledger, { command: 'c4', time: 1 }, [
      { type: 'CommandResumed', owner: { pid: 1, startTime: '1', bootId: 'b' }, from: 1 },
    ]),
  );
  must(accept(ledger, commanding('c5', [fact('d')])));
  return ledger;
};

const withoutTriggers = ({ db }: Ledger): void => {
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  for (const name of names) db.exec(`DROP TRIGGER ${name}`);
};

const tampered = (sql: string | ((ledger: Ledger) => void)): Verified => {
  const ledger = history();
  const triggers = ledger.db.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  withoutTriggers(ledger);
  ledger.db.pragma('ignore_check_constraints = ON');
  if (typeof sql === 'string') ledger.db.exec(sql);
  else sql(ledger);
  for (const trigger of triggers) ledger.db.exec(trigger);
  return verifyLedger(ledger);
};

const failing = ({ checks }: Verified): readonly string[] => checks.filter(({ ok }) => !ok).map(({ name }) => name);

/** Makes one event's own hashes right again, as somebody would who knows the format. */
const rehash = ({ db }: Ledger, position: number): void => {
  type Row = {
    stream: string;
    version: number;
    type: string;
    command: string;
    time: number;
    data: string;
    previous: string;
  };
  const row = db
    .prepare('SELECT *, lower(hex(prev_hash)) AS previous FROM events WHERE position = ?')
    .get(position) as Row;
  const dataHash = sha256(row.data);
  const hash = eventHash(row.previous, { ...row, position, schemaVersion: 1 }, dataHash);
  db.prepare('UPDATE events SET data_hash = unhex(?), hash = unhex(?) WHERE position = ?').run(
    dataHash,
    hash,
    position,
  );
};

describe('verify', () => {
  test('passes on a ledger nobody touched, and gives its head', () => {
    const ledger = history();
    const verified = verifyLedger(ledger);
    expect(failing(verified)).toEqual([]);
    expect(verified).toMatchObject({ ok: true, events: 10, firstBadPosition: null, head: readHead(ledger) });
    expect(verified.checks.map(({ name }) => name)).toEqual([
      'chain',
      'streams',
      'commands',
      'cut',
      'fold',
      'state',
      'outcomes',
      'projection counting',
      'schema',
      'sqlite',
    ]);
  });

  test('passes on an empty ledger', () => {
    expect(verifyLedger(writable(ledgerFile(), [counting]))).toMatchObject({
      ok: true,
      events: 0,
      firstBadPosition: null,
      head: { position: 0, hash: '0'.repeat(64) },
    });
  });

  test.each([
    ['data', `UPDATE events SET data = replace(data, '"a"', '"z"') WHERE position = 2`, 2],
    ['data by as little as a blank', "UPDATE events SET data = data || ' ' WHERE position = 6", 6],
    ['stream', "UPDATE events SET stream = 'elsewhere' WHERE position = 6", 6],
    ['version', 'UPDATE events SET version = 99 WHERE position = 6', 6],
    ['type', "UPDATE events SET type = 'PoolRemoved' WHERE position = 3", 3],
    ['schema version', 'UPDATE events SET schema_version = 2 WHERE position = 3', 3],
    ['command', "UPDATE events SET command = 'c2' WHERE position = 3", 3],
    ['time', 'UPDATE events SET time = time + 1 WHERE position = 5', 5],
    ['data hash', 'UPDATE events SET data_hash = randomblob(32) WHERE position = 5', 5],
    ['previous hash', 'UPDATE events SET prev_hash = randomblob(32) WHERE position = 5', 5],
    ['hash', 'UPDATE events SET hash = randomblob(32) WHERE position = 5', 5],
    ['hash of the newest event', 'UPDATE events SET hash = randomblob(32) WHERE position = 10', 10],
    ['data into something that is not JSON', "UPDATE events SET data = '{' WHERE position = 4", 4],
    ['position', 'UPDATE events SET position = 20 WHERE position = 10', 10],
    ['position, before the first', 'UPDATE events SET position = 0 WHERE position = 1', 0],
  ])('finds the event with a changed %s', (_what, sql, position) => {
    expect(tampered(sql)).toMatchObject({ ok: false, firstBadPosition: position });
  });

  test.each([
    ['the first event', 'DELETE FROM events WHERE position = 1', 1],
    ['an event in the middle', 'DELETE FROM events WHERE position = 6', 6],
    ['several in the middle', 'DELETE FROM events WHERE position IN (4, 5, 6)', 4],
    ['the newest event', 'DELETE FROM events WHERE position = 10', 10],
    [
      'the newest command with its events',
      "DELETE FROM events WHERE position > 8; DELETE FROM commands WHERE id = 'c5'",
      9,
    ],
    ['all events', 'DELETE FROM events', 1],
    ['everything of the log', 'DELETE FROM events; DELETE FROM commands', 1],
  ])('finds that %s was removed', (_what, sql, position) => {
    expect(tampered(sql)).toMatchObject({ ok: false, firstBadPosition: position });
  });

  test('finds two events that changed places', () => {
    const swap =
      'UPDATE events SET position = 99 WHERE position = 5; UPDATE events SET position = 5 WHERE position = 6; UPDATE events SET position = 6 WHERE position = 99';
    expect(tampered(swap)).toMatchObject({ ok: false, firstBadPosition: 5 });
  });

  test('names the changed event, not the next one, when its own hash was made right again', () => {
    const verified = tampered((ledger) => {
      ledger.db.exec(`UPDATE events SET data = replace(data, '"b"', '"z"') WHERE position = 3`);
      rehash(ledger, 3);
    });
    expect(verified).toMatchObject({ ok: false, firstBadPosition: 3 });
  });

  test('finds a rewritten newest event by what was noted of it, and every rewriting by a head noted before', () => {
    const ledger = history();
    const noted = readHead(ledger).hash;
    withoutTriggers(ledger);
    ledger.db.exec(`UPDATE events SET data = replace(data, '"d"', '"z"') WHERE position = 10`);
    rehash(ledger, 10);
    expect(failing(verifyLedger(ledger))).toEqual(['cut', 'schema']);
    expect(failing(verifyLedger(ledger, noted))).toContain('expected head');
    expect(failing(verifyLedger(history(), 'zz'))).toEqual(['expected head']);
  });

  test('still knows an older head after the log has grown', () => {
    const ledger = history();
    const noted = readHead(ledger).hash;
    must(accept(ledger, commanding('c6')));
    expect(verifyLedger(ledger, noted).ok).toBe(true);
  });

  test.each([
    ['name', "UPDATE commands SET name = 'Other' WHERE id = 'c3'", 5],
    ['payload', "UPDATE commands SET payload = '{}' WHERE id = 'c3'", 5],
    ['actor', `UPDATE commands SET actor = replace(actor, 'ada', 'eve') WHERE id = 'c3'`, 5],
    ['reason', "UPDATE commands SET reason = NULL WHERE id = 'c3'", 5],
    ['context', "UPDATE commands SET context = '{}' WHERE id = 'c3'", 5],
    ['time', "UPDATE commands SET received_at = 1 WHERE id = 'c3'", 5],
    ['id', "UPDATE commands SET id = 'cx' WHERE id = 'c3'", 5],
    ['position', "UPDATE commands SET position = 6 WHERE id = 'c3'", 5],
    ['place in the order', "UPDATE commands SET seq = 30 WHERE id = 'c5'", 9],
    ['payload hash', "UPDATE commands SET payload_hash = randomblob(32) WHERE id = 'c3'", 5],
    ['digest', "UPDATE commands SET digest = randomblob(32) WHERE id = 'c2'", 4],
  ])('finds the command with a changed %s', (_what, sql, position) => {
    expect(tampered(sql)).toMatchObject({ ok: false, firstBadPosition: position });
  });

  test('finds a command that was removed, also a rejected one', () => {
    expect(tampered("DELETE FROM commands WHERE id = 'c1'")).toMatchObject({ ok: false, firstBadPosition: 1 });
    expect(tampered("DELETE FROM commands WHERE id = 'c2'")).toMatchObject({ ok: false, firstBadPosition: 4 });
  });

  test('finds a command that was added, and one whose digest was made right again', () => {
    const copy =
      "INSERT INTO commands SELECT 6, 'new', name, schema_version, payload, payload_hash, actor, reason, context, received_at, 7, digest FROM commands WHERE id = 'c1'";
    expect(tampered(copy)).toMatchObject({ ok: false, firstBadPosition: 7 });
    const verified = tampered(({ db }) => {
      const row = db
        .prepare(
          "SELECT seq, id, name, schema_version AS schemaVersion, lower(hex(payload_hash)) AS payloadHash, actor, context, received_at AS receivedAt FROM commands WHERE id = 'c3'",
        )
        .get() as never;
      db.prepare("UPDATE commands SET reason = 'another', digest = unhex(?) WHERE id = 'c3'").run(
        commandDigest({ ...(row as object), reason: 'another' } as never),
      );
    });
    expect(verified).toMatchObject({ ok: false, firstBadPosition: 5 });
  });

  test.each([
    ['a stored value of the state', "UPDATE entities SET state = '{}'", ['state']],
    ['a removed value of the state', 'DELETE FROM entities', ['state']],
    ['an outcome', "UPDATE outcomes SET outcome = 'completed' WHERE command = 'c4'", ['outcomes']],
    ['a removed outcome', "DELETE FROM outcomes WHERE command = 'c4'", ['outcomes']],
    ['a row of a projection', 'UPDATE counted SET n = n + 1', ['projection counting']],
    ['a projection that is gone', 'DROP TABLE seen', ['projection counting']],
    ['a table of the ledger that is gone', 'DROP TABLE outcomes', ['cut', 'outcomes', 'schema']],
  ])('finds %s, which is not the log and so has no position', (_what, sql, names) => {
    const verified = tampered(sql);
    expect(failing(verified)).toEqual(names);
    expect(verified).toMatchObject({ ok: false, firstBadPosition: null });
  });

  test('finds a trigger that does not belong there', () => {
    const ledger = history();
    ledger.db.exec('CREATE TRIGGER hidden AFTER INSERT ON events BEGIN DELETE FROM outcomes; END');
    expect(failing(verifyLedger(ledger))).toEqual(['schema']);
  });

  test('finds that the triggers are gone', () => {
    const ledger = history();
    withoutTriggers(ledger);
    expect(failing(verifyLedger(ledger))).toEqual(['schema']);
  });

  test('never throws, however little is left', () => {
    for (const table of ['commands', 'events', 'entities', 'outcomes', 'checkpoints', 'lease']) {
      const ledger = history();
      ledger.db.exec(`DROP TABLE ${table}`);
      expect(verifyLedger(ledger).ok, table).toBe(false);
    }
    const forged = tampered(`UPDATE events SET data = '{"digest":7,"plan":null}' WHERE position = 1`);
    expect(forged).toMatchObject({ ok: false, firstBadPosition: 1 });
  });
});
