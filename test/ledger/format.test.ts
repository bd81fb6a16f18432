import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { commandDigest, eventHash } from '../../infrastructure/ledger/hashes.ts';
import { closeLedger, readHead } from '../../infrastructure/ledger/ledger.ts';
import { commanding, fact, must, open, rejected, writable } from './fixture.ts';

const PAGE = new URL('../../docs/format.md', import.meta.url);
const hasShell = spawnSync('sqlite3', ['--version']).status === 0;

/** The script of docs/format.md, run on a ledger, as lines. */
const byHand = (file: string, command: string): readonly string[] => {
  const [, script = ''] = /```sh\n([\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const path = join(dirname(file), 'check.sh');
  writeFileSync(path, script.replace('DB=ledger.db', `DB='${file}'`).replace('put-the-id-here', command));
  return execFileSync('bash', [path], { encoding: 'utf8' }).trimEnd().split('\n');
};

describe('docs/format.md', () => {
  test.skipIf(!hasShell)('tells how to check a ledger by hand, and that finds what was changed', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1', [fact('p', 'é\n"')], { reason: 'two\nlines\n' })));
    must(accept(ledger, rejected('c2')));
    const { hash } = readHead(ledger);
    closeLedger(ledger);
    for (const id of ['c1', 'c2']) {
      const [head, ...digests] = byHand(ledger.file, id);
      expect(head).toBe(`head ${hash}`);
      expect(digests).toHaveLength(3);
      expect(new Set(digests).size).toBe(1);
    }
    const { db } = open(ledger.file, 'write');
    db.exec("DROP TRIGGER events_are_never_changed; UPDATE events SET data = data || ' ' WHERE position = 2");
    expect(byHand(ledger.file, 'c1')[0]).toBe('event 2 is not right');
  });

  test('hashes never change: every ledger ever written depends on them', () => {
    const event = {
      position: 2,
      stream: 'vm/work',
      version: 1,
      type: 'VmRemoved',
      schemaVersion: 1,
      command: 'c1',
      time: 5,
    };
    expect(eventHash('0'.repeat(64), event, '1'.repeat(64))).toBe(
      '54a269500b4d8e379db882ea51bd2df540233e617f999dc9e260e98b13571505',
    );
    const command = {
      seq: 1,
      id: 'c1',
      name: 'RemoveVM',
      schemaVersion: 1,
      payloadHash: '2'.repeat(64),
      actor: '{}',
      reason: null,
      context: '{}',
      receivedAt: 5,
    };
    expect(commandDigest(command)).toBe('adf3743441cd9ea0b33ab7341e077f0c4c15b5acb603aadc9a8a173ca63e55dd');
    expect(commandDigest({ ...command, reason: '' })).toBe(
      'b170419f54761aa72320870fce68c8c7142a5feacfe376057dc2d01099983c52',
    );
  });
});
