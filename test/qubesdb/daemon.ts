import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { HEADER } from '../../infrastructure/qubesdb/message.ts';

/**
 * A stand-in for qubesdb-daemon with its real limits (spec: C.2): paths of 64 bytes are cut without a word, some mistakes
 * close the connection, and a client that goes away while it is owed an answer kills the daemon, as SIGPIPE does.
 */
export type Daemon = {
  readonly path: string;
  readonly keys: Map<string, string>;
  readonly isDead: () => boolean;
  /** every request as it came, `write /a` */
  readonly heard: string[];
  /** How long each answer takes, in milliseconds; 0: at once. Null: it never answers. */
  delay: number | null;
  /** Instead of an answer these bytes are sent. */
  nonsense: Buffer | null;
  /** Clients now. */
  readonly clients: () => number;
  readonly stop: () => Promise<void>;
};

const TYPES = ['read', 'write', 'multiread', 'list', 'rm', 'watch', 'unwatch'];
const LONGEST = 3071;
const CHARACTERS = /^[A-Za-z0-9\-_/.:@]*$/;

const message = (type: number, path: string, data = Buffer.alloc(0)): Buffer => {
  const bytes = Buffer.alloc(HEADER + data.length);
  bytes.writeUInt8(type, 0);
  bytes.write(path, 1, 'latin1');
  bytes.writeUInt32LE(data.length, 68);
  data.copy(bytes, HEADER);
  return bytes;
};

type Client = { readonly socket: Socket; owed: number; received: Buffer; readonly watches: string[]; closing: boolean };

type Answer = { readonly bytes: readonly Buffer[]; readonly changed?: string; readonly close?: boolean };

type Question = { readonly type: number; readonly path: string; readonly data: Buffer };

const answerTo = (keys: Map<string, string>, client: Client, { type, path, data }: Question): Answer => {
  const bad = !CHARACTERS.test(path);
  const refused = { bytes: [message(9, path)] };
  switch (TYPES[type]) {
    case 'read':
      if (data.length > 0) return { bytes: [], close: true };
      return {
        bytes: [keys.has(path) ? message(10, path, Buffer.from(keys.get(path) ?? '', 'latin1')) : message(8, path)],
      };
    case 'write':
      if (!path.startsWith('/') || path.endsWith('/')) return { ...refused, close: true };
      if (bad || data.length > LONGEST || data.includes(0)) return refused;
      keys.set(path, data.toString('latin1'));
      return { bytes: [message(7, path)], changed: path };
    case 'multiread':
    case 'list': {
      const reply = TYPES[type] === 'list' ? 12 : 11;
      const found = [...keys.keys()].filter((key) => key.startsWith(path)).sort();
      const values = found.map((key) =>
        message(reply, key, reply === 11 ? Buffer.from(keys.get(key) ?? '', 'latin1') : undefined),
      );
      return { bytes: [...values, message(reply, '')] };
    }
    case 'rm': {
      if (bad) return refused;
      const gone = [...keys.keys()].filter((key) => (path.endsWith('/') ? key.startsWith(path) : key === path));
      for (const key of gone) keys.delete(key);
      return gone.length > 0 ? { bytes: [message(7, path)], changed: path } : { bytes: [message(8, path)] };
    }
    case 'watch':
      client.watches.push(path);
      return { bytes: [message(7, path)] };
    case 'unwatch': {
      const at = client.watches.indexOf(path);
      if (at >= 0) client.watches.splice(at, 1);
      return { bytes: [message(at >= 0 ? 7 : 8, path)] };
    }
    default:
      return refused;
  }
};

const concerns = (watch: string, path: string): boolean =>
  watch !== '' && (watch.endsWith('/') ? path.startsWith(watch) : path === watch);

/** Starts one on a socket. `keys` are what it holds: a daemon started anew is empty. */
export const startDaemon = async (path: string): Promise<Daemon> => {
  const clients = new Set<Client>();
  let dead = false;
  const die = (): void => {
    dead = true;
    server.close();
    for (const { socket } of clients) socket.destroy();
  };
  const daemon: Daemon = {
    path,
    keys: new Map(),
    heard: [],
    delay: 0,
    nonsense: null,
    isDead: () => dead,
    clients: () => clients.size,
    stop: () =>
      new Promise((resolve) => {
        for (const { socket } of clients) socket.destroy();
        server.close(() => resolve());
      }),
  };
  const say = (client: Client, bytes: readonly Buffer[]): void => {
    if (!client.socket.destroyed && client.socket.writable) for (const one of bytes) client.socket.write(one);
  };
  const tell = (changed: string): void => {
    for (const client of clients) {
      for (const watch of client.watches) if (concerns(watch, changed)) say(client, [message(13, changed)]);
    }
  };
  const serve = (client: Client, question: Question): void => {
    const { type, path: given } = question;
    daemon.heard.push(`${TYPES[type] ?? type} ${given}`);
    const { bytes, changed, close } = answerTo(daemon.keys, client, question);
    client.owed++;
    const answer = (): void => {
      if (dead) return;
      client.owed--;
      say(client, daemon.nonsense ? [daemon.nonsense] : bytes);
      if (changed !== undefined) tell(changed);
      if (close) client.socket.end();
      if (client.closing && client.owed === 0) client.socket.end();
    };
    if (daemon.delay === 0) answer();
    else if (daemon.delay !== null) setTimeout(answer, daemon.delay);
  };
  const hear = (client: Client, bytes: Buffer): void => {
    client.received = Buffer.concat([client.received, bytes]);
    while (client.received.length >= HEADER) {
      const length = client.received.readUInt32LE(68);
      if (client.received.length < HEADER + length) return;
      const field = client.received.subarray(1, 65);
      const end = field.indexOf(0);
      // The 64th byte is overwritten by the end of the text: a path that long loses its last letter.
      const given = field.toString('latin1', 0, end < 0 ? 63 : end);
      const data = Buffer.from(client.received.subarray(HEADER, HEADER + length));
      const type = client.received.readUInt8(0);
      client.received = client.received.subarray(HEADER + length);
      serve(client, { type, path: given, data });
    }
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const client: Client = { socket, owed: 0, received: Buffer.alloc(0), watches: [], closing: false };
    clients.add(client);
    socket.on('data', (bytes: Buffer) => hear(client, bytes));
    socket.on('end', () => {
      client.closing = true;
      if (client.owed === 0) socket.end();
    });
    socket.on('error', () => die());
    socket.on('close', () => {
      clients.delete(client);
      if (client.owed > 0 && !dead) die();
    });
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return daemon;
};

/** What a daemon leaves behind that was killed. */
export const leaveDeadSocket = async (path: string): Promise<void> => {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
};
