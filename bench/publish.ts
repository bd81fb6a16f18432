import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { publication } from '../domain/firewall/entries.ts';
import { qubesDbClient } from '../infrastructure/qubesdb/client.ts';
import { ASK, encode, HEADER } from '../infrastructure/qubesdb/message.ts';
import { startDaemon } from '../test/qubesdb/daemon.ts';

// publish.cjs SCRATCH: 100 rules of one VM through the client, against the same bytes written to the same socket in one
// piece, both until the last answer is in. The daemon (the stand-in of the tests) is a process of its own.
const ROUNDS = 60;

const RULES = Array.from(
  { length: 100 },
  (_one, n) =>
    [`${n}`.padStart(4, '0'), `action=accept dst4=10.${n}.0.0/16 proto=tcp dstports=${n}-${n + 1000}`] as const,
);
const CHANGES = publication('10.137.0.5', RULES, true);

const BYTES = Buffer.concat(
  CHANGES.map((one) =>
    'remove' in one
      ? encode(ASK.remove, one.remove, Buffer.alloc(0))
      : encode(ASK.write, one.write, Buffer.from(typeof one.value === 'string' ? one.value : '')),
  ),
);

/** The same bytes, and as many answers: every one of them is a header. */
const raw = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    let left = CHANGES.length * HEADER;
    const hear = (bytes: Buffer): void => {
      left -= bytes.length;
      if (left > 0) return;
      socket.off('data', hear);
      resolve();
    };
    socket.on('data', hear);
    socket.write(BYTES);
  });

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};

const main = async (scratch: string): Promise<void> => {
  const path = join(scratch, 'qubesdb.sock');
  if (process.argv[3] === 'daemon') {
    await startDaemon(path);
    console.log('up');
    return;
  }
  const daemon = spawn(process.execPath, [__filename, scratch, 'daemon'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(daemon.stdout, 'data');
  const socket = connect(path);
  await once(socket, 'connect');
  const client = qubesDbClient({ path, timeoutMs: 10_000 });
  const ratios: { ours: number; floor: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const floor = await timed(() => raw(socket));
    const ours = await timed(async () => {
      const changed = await client.change(CHANGES);
      if (!changed.ok) throw new Error(changed.error.message);
    });
    ratios.push({ ours, floor });
  }
  await client.close();
  socket.end();
  daemon.kill();
  rmSync(path, { force: true });
  const middle = (pick: (one: { ours: number; floor: number }) => number): number =>
    ratios.map(pick).sort((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN;
  const result = {
    ratio: middle(({ ours, floor }) => ours / floor),
    ours: middle(({ ours }) => ours),
    floor: middle(({ floor }) => floor),
  };
  console.log(JSON.stringify({ bytes: BYTES.length, requests: CHANGES.length, ...result }));
};

void main(process.argv[2] ?? '.');
