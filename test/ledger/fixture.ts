import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, afterEach } from 'vitest';
import type { Owner } from '../../domain/command/events.ts';
import type { Fact } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Envelope, ToAccept } from '../../infrastructure/ledger/accept.ts';
import type { Mode } from '../../infrastructure/ledger/connection.ts';
import { acquireLease } from '../../infrastructure/ledger/lease.ts';
import { closeLedger, type Ledger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { thisProcess } from '../../infrastructure/ledger/process-identity.ts';
import type { Projection } from '../../infrastructure/ledger/projection.port.ts';
import { catchUp } from '../../infrastructure/ledger/projections.ts';

const opened: Ledger[] = [];
const directories: string[] = [];

afterEach(() => {
  for (const ledger of opened.splice(0)) closeLedger(ledger);
  for (const directory of directories.splice(0)) {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true, force: true });
  }
});

export const temporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'domtrail-ledger-'));
  directories.push(directory);
  return directory;
};

export const must = <T>(result: Result<T, Failure>): T => {
  if (!result.ok)
    throw new Error(`${result.error.code}: ${result.error.message} (${result.error.cause ?? 'no cause'})`);
  return result.value;
};

export const errorOf = <T>(result: Result<T, Failure>): Failure => {
  if (result.ok) throw new Error('expected a failure');
  return result.error;
};

export const codeOf = <T>(result: Result<T, Failure>): string => (result.ok ? 'ok' : result.error.code);

export const ledgerFile = (): string => join(temporaryDirectory(), 'home', 'ledger.db');

/** An open ledger that is closed after the test. */
export const open = (file: string, mode: Mode, projections: readonly Projection[] = []): Ledger => {
  const ledger = must(openLedger(file, mode, projections));
  opened.push(ledger);
  return ledger;
};

/** A new ledger whose lease this process holds. */
export const writable = (file = ledgerFile(), projections: readonly Projection[] = []): Ledger => {
  const ledger = open(file, 'create', projections);
  must(acquireLease(ledger, thisProcess(), null));
  must(catchUp(ledger));
  return ledger;
};

const ACTOR = {
  user: 'ada',
  uid: 1000,
  loginUid: 1000,
  tty: 'pts/0',
  tool: 'domtrail',
  argv: ['vm', 'start'],
  source: null,
};
const OWNER: Owner = { pid: 1, startTime: '1', bootId: 'boot' };

export const envelope = (id: string, more: Partial<Envelope> = {}): Envelope => ({
  id,
  name: 'SetThing',
  schemaVersion: 1,
  payload: { b: 1, a: 'x' },
  actor: ACTOR,
  reason: null,
  context: { now: 1_700_000_000_000 },
  receivedAt: 1_700_000_000_123,
  owner: OWNER,
  ...more,
});

export const fact = (name: string, value: string | null = 'v'): Fact => ({
  type: 'GlobalPropertySet',
  name,
  value,
  before: null,
});

/** A command that is decided into these facts, without any step. */
export const commanding = (
  id: string,
  facts: readonly Fact[] = [fact('p')],
  more: Partial<Envelope> = {},
): ToAccept => ({
  envelope: envelope(id, more),
  decide: () => ok({ plan: { main: [], facts, cleanup: [] }, holds: [] }),
});

export const rejected = (id: string): ToAccept => ({
  envelope: envelope(id),
  decide: () => err(failure('D_NOT_FOUND', 'there is no such thing')),
});

/** A command whose plan has one step, so that it stays open. */
export const working = (id: string): ToAccept => ({
  envelope: envelope(id),
  decide: () => {
    const step = { n: 1, lane: 'work', object: 'work', deed: { do: 'startDomain', vm: 'work' as never } } as const;
    return ok({ plan: { main: [step], facts: [], cleanup: [] }, holds: [{ object: 'work', mode: 'write' }] });
  },
});

/** Counts events by type, and remembers the version each had in its stream. */
export const counting: Projection = {
  name: 'counting',
  version: 1,
  tables: ['counted', 'seen'],
  schema: (prefix) => `
    CREATE TABLE IF NOT EXISTS ${prefix}counted (type TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS ${prefix}seen (position INTEGER NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS ${prefix}seen_by_stream ON ${prefix}seen (stream);`,
  apply: (sql, prefix, { event, position, stream, version }, host) => {
    sql.run(`INSERT INTO ${prefix}counted VALUES (?, 1) ON CONFLICT (type) DO UPDATE SET n = n + 1`, event.type);
    sql.run(`INSERT INTO ${prefix}seen VALUES (?, ?, ?, ?)`, position, stream, version, host.position);
  },
};

const ROOT = resolve(dirname(new URL(import.meta.url).pathname), '..', '..');
let bundle: string | null = null;

afterAll(() => {
  if (bundle) rmSync(dirname(bundle), { recursive: true, force: true });
  bundle = null;
});

/** `child.ts` as one file: Node 20 cannot run TypeScript. World-readable, for children of another user. */
const childBundle = (): string => {
  if (bundle) return bundle;
  const outfile = join(mkdtempSync(join(tmpdir(), 'domtrail-child-')), 'child.cjs');
  chmodSync(dirname(outfile), 0o755);
  buildSync({
    entryPoints: [join(ROOT, 'test', 'ledger', 'child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['better-sqlite3'],
    loader: { '.sql': 'text' },
    logLevel: 'error',
  });
  bundle = outfile;
  return outfile;
};

export type Child = {
  readonly pid: number;
  /** resolves with the next line the child prints */
  readonly line: () => Promise<string>;
  readonly kill: () => void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly stderr: string }>;
};

/** Another process on the same ledger. See child.ts for what it can be asked to do. */
export const child = (
  args: readonly string[],
  how: { readonly uid?: number; readonly env?: Record<string, string> } = {},
): Child => {
  const env = { ...process.env, ...how.env, NODE_PATH: join(ROOT, 'node_modules') };
  const identity = how.uid === undefined ? {} : { uid: how.uid, gid: how.uid };
  const running = spawn(process.execPath, [childBundle(), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...identity,
  });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  let rest = '';
  let stderr = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const next = waiting.shift();
      if (next) next(part);
      else lines.push(part);
    }
  });
  running.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    pid: running.pid ?? -1,
    line: () => {
      const known = lines.shift();
      return known === undefined ? new Promise((resolveLine) => waiting.push(resolveLine)) : Promise.resolve(known);
    },
    kill: () => running.kill('SIGKILL'),
    ended: new Promise((resolveEnd) => running.on('close', (code, signal) => resolveEnd({ code, signal, stderr }))),
  };
};
