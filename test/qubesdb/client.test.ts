import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type QubesDbClient, qubesDbClient } from '../../infrastructure/qubesdb/client.ts';
import { openConnection } from '../../infrastructure/qubesdb/connection.ts';
import { ASK, encode } from '../../infrastructure/qubesdb/message.ts';
import { type Daemon, startDaemon } from './daemon.ts';

let dir: string;
let path: string;
let daemon: Daemon;
let client: QubesDbClient;

const must = <T>(result: { ok: true; value: T } | { ok: false; error: { code: string; message: string } }): T => {
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.message}`);
  return result.value;
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'domtrail-qubesdb-'));
  path = join(dir, 'qubesdb.sys-net.sock');
  daemon = await startDaemon(path);
  client = qubesDbClient({ path, timeoutMs: 2000 });
});

afterEach(async () => {
  await client.close();
  await daemon.stop();
  rmSync(dir, { recursive: true });
});

describe('the client of a QubesDB daemon', () => {
  test('writes, reads, lists and removes', async () => {
    must(await client.write('/a/1', 'one'));
    must(await client.write('/a/2', ''));
    expect(must(await client.read('/a/1'))?.toString()).toBe('one');
    expect(must(await client.read('/b'))).toBeNull();
    expect(must(await client.list('/a'))).toEqual(['/a/1', '/a/2']);
    expect([...must(await client.multiread('/a/')).keys()]).toEqual(['/a/1', '/a/2']);
    must(await client.remove('/a/'));
    must(await client.remove('/never/there'));
    expect(daemon.keys.size).toBe(0);
  });

  test('reads one address without those that begin like it', async () => {
    for (const key of ['/f/10.137.0.5', '/f/10.137.0.5/policy', '/f/10.137.0.50', '/f/10.137.0.50/policy'])
      must(await client.write(key, 'x'));
    expect([...must(await client.readUnder('/f/10.137.0.5')).keys()]).toEqual([
      '/f/10.137.0.5',
      '/f/10.137.0.5/policy',
    ]);
  });

  test.each([
    ['a path of 64 bytes, which a daemon would cut', `/${'a'.repeat(63)}`, 'v'],
    ['a character that paths cannot have', '/a b', 'v'],
    ['a letter beyond ASCII', '/ä', 'v'],
    ['no slash in front', 'a', 'v'],
    ['a slash at the end', '/a/', 'v'],
    ['a value of 3072 bytes', '/a', 'v'.repeat(3072)],
    ['a NUL in the value', '/a', 'v\0'],
  ])('refuses %s before it sends anything', async (_why, key, value) => {
    expect(await client.write(key, value)).toMatchObject({ ok: false, error: { code: 'D_QUBESDB_REFUSED' } });
    expect(daemon.heard).toEqual([]);
  });

  test('takes what is just not too long', async () => {
    const longest = `/${'a'.repeat(62)}`;
    must(await client.write(longest, 'v'.repeat(3071)));
    expect(must(await client.read(longest))).toHaveLength(3071);
  });

  test('keeps the order of many changes on their way at once', async () => {
    const keys = Array.from({ length: 500 }, (_one, n) => ({ write: `/k/${`${n}`.padStart(4, '0')}`, value: `${n}` }));
    must(await client.change([{ remove: '/k/' }, ...keys]));
    expect(daemon.heard).toEqual(['rm /k/', ...keys.map(({ write }) => `write ${write}`)]);
    expect(must(await client.multiread('/k/')).size).toBe(500);
  });

  test('hears of changes, its own too, between other answers', async () => {
    const events: string[] = [];
    const watcher = qubesDbClient({ path, timeoutMs: 2000, onWatch: (changed) => events.push(changed) });
    must(await watcher.watch('/f/'));
    must(await client.write('/f/1', 'x'));
    must(await watcher.write('/f/2', 'x'));
    must(await client.write('/g', 'x'));
    must(await client.remove('/f/'));
    expect(must(await watcher.list('/'))).toEqual(['/g']);
    must(await watcher.unwatch('/f/'));
    must(await client.write('/f/3', 'x'));
    must(await watcher.list('/'));
    expect(events).toEqual(['/f/1', '/f/2', '/f/']);
    await watcher.close();
  });

  test('connects again to a daemon that was started again, which is empty', async () => {
    must(await client.write('/a', '1'));
    await daemon.stop();
    daemon = await startDaemon(path);
    await pause(20);
    expect(must(await client.read('/a'))).toBeNull();
    must(await client.write('/a', '2'));
    expect(daemon.keys.get('/a')).toBe('2');
  });

  test('says so when nobody listens', async () => {
    const nobody = qubesDbClient({ path: join(dir, 'none.sock'), timeoutMs: 500 });
    expect(await nobody.read('/a')).toMatchObject({ ok: false, error: { code: 'D_QUBESDB_UNREACHABLE' } });
  });
});

describe('the SIGPIPE that kills the real daemon', () => {
  test('happens to the stand-in too, when a client leaves without its answers', async () => {
    daemon.delay = 30;
    const opened = must(await openConnection({ path, timeoutMs: 1000 }));
    void opened.ask({ type: ASK.write, path: '/a', data: Buffer.from('1') });
    await pause(10);
    // What a process does that is killed: nobody reads any more.
    (opened as unknown as { socket: { destroy: () => void } }).socket.destroy();
    await pause(60);
    expect(daemon.isDead()).toBe(true);
  });

  test('does not when the client closes with requests under way: it waits for every answer', async () => {
    daemon.delay = 20;
    const answers = Array.from({ length: 40 }, (_one, n) => client.write(`/k/${n}`, 'x'));
    await pause(5);
    await Promise.all([client.close(), ...answers]);
    expect(daemon.isDead()).toBe(false);
  });

  test('does not when an answer is late: the caller hears at once, the daemon may still say it', async () => {
    daemon.delay = 150;
    const hasty = qubesDbClient({ path, timeoutMs: 100 });
    expect(await hasty.write('/a', '1')).toMatchObject({ ok: false, error: { code: 'D_QUBESDB_UNREACHABLE' } });
    await hasty.close();
    expect(daemon.isDead()).toBe(false);
    await vi.waitFor(() => expect(daemon.clients()).toBe(0));
  });

  test('does not when what it says makes no sense', async () => {
    daemon.nonsense = Buffer.alloc(72, 0xff);
    expect(await client.write('/a', '1')).toMatchObject({ ok: false, error: { code: 'D_QUBESDB_GARBLED' } });
    await client.close();
    expect(daemon.isDead()).toBe(false);
  });
});

describe('something else behind the socket', () => {
  const answering = async (bytes: Buffer): Promise<Server> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    await new Promise<void>((resolve) => {
      server.listen(join(dir, 'other.sock'), resolve);
    });
    return server;
  };

  test('whatever it says, a question ends in an answer or a coded failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 13 }), async (noise, type) => {
        const bytes = Buffer.concat([encode(type as never, '/a', Buffer.alloc(0)), Buffer.from(noise)]);
        const server = await answering(bytes);
        const other = qubesDbClient({ path: join(dir, 'other.sock'), timeoutMs: 300 });
        const answer = await other.multiread('/a');
        if (!answer.ok) {
          expect(['D_QUBESDB_GARBLED', 'D_QUBESDB_UNREACHABLE', 'D_QUBESDB_REFUSED']).toContain(answer.error.code);
        }
        await other.close();
        await new Promise((resolve) => {
          server.close(resolve);
        });
      }),
      { numRuns: 60 },
    );
  });
});

const key = fc.constantFrom('/a', '/a/b', '/a/c', '/ab', '/b', '/b/a');
const step = fc.oneof(
  fc.record({
    do: fc.constant('write' as const),
    key,
    value: fc.string({ maxLength: 5, unit: fc.constantFrom('x', 'é', '=') }),
  }),
  fc.record({ do: fc.constant('remove' as const), key: fc.oneof(key, fc.constantFrom('/a/', '/b/', '/')) }),
  fc.record({ do: fc.constant('read' as const), key }),
  fc.record({ do: fc.constant('multiread' as const), key: fc.constantFrom('/', '/a', '/a/', '/b') }),
);

describe('against a simple model', () => {
  test('any sequence gives what a map would give', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        must(await client.remove('/'));
        const model = new Map<string, string>();
        for (const one of steps) {
          if (one.do === 'write') {
            model.set(one.key, one.value);
            must(await client.write(one.key, one.value));
          } else if (one.do === 'remove') {
            const gone = [...model.keys()].filter((at) =>
              one.key.endsWith('/') ? at.startsWith(one.key) : at === one.key,
            );
            for (const at of gone) model.delete(at);
            must(await client.remove(one.key));
          } else if (one.do === 'read') {
            expect(must(await client.read(one.key))?.toString() ?? null).toBe(model.get(one.key) ?? null);
          } else {
            const found = [...must(await client.multiread(one.key))].map(([at, value]) => [at, value.toString()]);
            expect(found).toEqual(
              [...model].filter(([at]) => at.startsWith(one.key)).sort(([a], [b]) => (a < b ? -1 : 1)),
            );
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});
