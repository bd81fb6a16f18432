import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { type Code, EXIT_OF } from '../../domain/failure.ts';

/** The executable under test; another one, say of an installed package, with DOMTRAIL_BIN. */
export const DOMTRAIL =
  process.env['DOMTRAIL_BIN'] ?? fileURLToPath(new URL('../../bin/domtrail.cjs', import.meta.url));

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly bytes: Buffer;
  readonly out: string;
  readonly err: string;
};

export type Given = {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Buffer | string;
  readonly cwd?: string;
  readonly user?: number;
};

/** A user's environment without a home directory: whatever is not in DOMTRAIL_HOME must not be needed. */
export const environment = (home: string, more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  TZ: 'UTC',
  DOMTRAIL_HOME: home,
  ...more,
});

const collect = (stream: NodeJS.ReadableStream): (() => Buffer) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
};

/** Runs one program to its end. Without `input` its stdin is closed at once, as under cron. */
export const runProgram = async (
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  { input, cwd, user }: Given = {},
): Promise<Ended> => {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd ? { cwd } : {}),
    ...(user ? { uid: user, gid: user } : {}),
  });
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  // A program that refuses before it reads leaves us with a broken pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, bytes: out(), out: out().toString('utf8'), err: err().toString('utf8') };
};

type Revision = {
  readonly id: string;
  readonly position: number;
  readonly time: string;
  readonly pinned: boolean;
};
export type VolumeInfo = {
  readonly vm: string;
  readonly name: string;
  readonly size: number;
  readonly state: string;
  readonly committedPath: string | null;
  readonly runtimePath: string | null;
  readonly revisionsToKeep: number;
  readonly revisions: readonly Revision[];
};
export type VmItem = {
  readonly name: string;
  readonly class: string;
  readonly state: string;
  readonly template: string | null;
  readonly label: string;
};
export type Document<T> = {
  readonly schema: string;
  readonly as_of: { readonly event: number; readonly time: string | null };
  readonly item?: T;
  readonly items?: readonly T[];
};

/** Copies that take longer than a second say how far they are, on stderr: on a busy machine any of them does. */
export const withoutProgress = (text: string): string => text.replaceAll(/^\S+ {2}\[[#-]{20}\] .*\n/gm, '');

/** One home and the commands a user types in it. */
export class Terminal {
  readonly home: string;
  /** what every command here has in its environment, such as another boot of the host */
  env: Readonly<Record<string, string>> = {};
  constructor(home: string) {
    this.home = home;
  }

  run(argv: readonly string[], given: Given = {}): Promise<Ended> {
    return runProgram(
      [process.execPath, DOMTRAIL, ...argv],
      environment(this.home, { ...this.env, ...given.env }),
      given,
    );
  }

  /** Runs what must succeed; gives its stdout. */
  async does(...argv: string[]): Promise<string> {
    const ended = await this.run(argv);
    expect(withoutProgress(ended.err) + (ended.signal ?? ''), argv.join(' ')).toBe('');
    expect(ended.code, argv.join(' ')).toBe(0);
    return ended.out;
  }

  /** Recovers; beside its stdout it may name the sessions that wait for a decision, and nothing else. */
  async recovers(where = 'recover'): Promise<string> {
    const ended = await this.run(['recover']);
    expect(withoutProgress(ended.err), where).toMatch(/^(\S+: a session that was not committed: .*\n)*$/);
    expect(ended.code, where).toBe(0);
    return ended.out;
  }

  async document<T>(...argv: string[]): Promise<Document<T>> {
    return JSON.parse(await this.does(...argv, '--json')) as Document<T>;
  }

  async item<T>(...argv: string[]): Promise<T> {
    const { item } = await this.document<T>(...argv);
    if (item === undefined) throw new Error(`${argv.join(' ')} gave no item`);
    return item;
  }

  async items<T>(...argv: string[]): Promise<readonly T[]> {
    const { items } = await this.document<T>(...argv);
    if (items === undefined) throw new Error(`${argv.join(' ')} gave no items`);
    return items;
  }

  info(volume: string): Promise<VolumeInfo> {
    return this.item<VolumeInfo>('volume', 'info', volume);
  }

  async stateOf(vm: string): Promise<string | undefined> {
    return (await this.items<VmItem>('vm', 'list')).find(({ name }) => name === vm)?.state;
  }

  /** What the VM writes at the beginning of its disk while it runs. */
  async vmWrites(volume: string, text: string, offset = 0): Promise<void> {
    const { runtimePath } = await this.info(volume);
    if (runtimePath === null) throw new Error(`${volume} is not running`);
    writeAt(runtimePath, text, offset);
  }

  async committed(volume: string, length: number, offset = 0): Promise<string> {
    const { committedPath } = await this.info(volume);
    return committedPath === null ? '(absent)' : readAt(committedPath, length, offset);
  }

  /** The committed content of a volume and of its revisions, oldest first, `length` characters of each. */
  async contents(volume: string, length: number): Promise<readonly string[]> {
    return contentsOf(await this.info(volume), length);
  }

  /** Everything that proves a home: storage as recorded, log untouched, decisions repeatable, nothing left to recover. */
  async isSound(): Promise<void> {
    for (const command of ['fsck', 'verify', 'replay']) {
      const ended = await this.run([command]);
      expect(ended.out + ended.err, command).not.toMatch(/^(!|BAD )/m);
      expect({ command, code: ended.code, out: ended.code === 0 ? '' : ended.out + ended.err }).toEqual({
        command,
        code: 0,
        out: '',
      });
    }
  }
}

export const readAt = (path: string, length: number, offset = 0): string => {
  const bytes = Buffer.alloc(length);
  const handle = openSync(path, 'r');
  try {
    return bytes.toString('latin1', 0, readSync(handle, bytes, 0, length, offset)).replaceAll('\0', '.');
  } finally {
    closeSync(handle);
  }
};

export const contentsOf = ({ committedPath, revisions }: VolumeInfo, length: number): readonly string[] => {
  if (committedPath === null) return [];
  const kept = revisions.map(({ id, time }) => `${committedPath}.${id}@${time.replace(/\.\d+/, '')}`);
  return [...kept, committedPath].map((path) => readAt(path, length));
};

export const writeAt = (path: string, text: string, offset = 0): void => {
  const handle = openSync(path, 'r+');
  try {
    writeSync(handle, text, offset);
  } finally {
    closeSync(handle);
  }
};

const made: string[] = [];
afterAll(async () => {
  for (const dir of made.splice(0)) await rm(dir, { recursive: true, force: true });
});

/** A directory that is gone after the tests of the file. */
export const scratchDirectory = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'domtrail-cli-'));
  made.push(dir);
  return dir;
};

export const emptyHome = async (): Promise<Terminal> => new Terminal(join(await scratchDirectory(), 'home'));

/** A home with the template `debian` and the AppVM `work`, both halted. */
export const homeWithWork = async (): Promise<Terminal> => {
  const terminal = await emptyHome();
  await terminal.does('init');
  await terminal.does('vm', 'create', 'debian', '--class', 'TemplateVM');
  await terminal.does('vm', 'create', 'work', '--class', 'AppVM', '--template', 'debian');
  return terminal;
};

/** The refusal of interface.md: one `error[CODE]:` line, the documented exit code, nothing on stdout. */
export const expectRefusal = (ended: Ended, code: Code): void => {
  expect(ended.err.split('\n').filter((line) => line.startsWith('error['))).toHaveLength(1);
  expect(ended.err).toMatch(new RegExp(`^error\\[${code}\\]: \\S`, 'm'));
  expect(ended.err).not.toMatch(/^\s+at .+:\d+:\d+/m);
  expect({ code: ended.code, out: ended.out }).toEqual({ code: EXIT_OF[code], out: '' });
};
