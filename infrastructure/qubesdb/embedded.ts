import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import type { KeyChange } from '../../domain/qubesdb/key-change.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { makeDirectory } from '../drivers/file-reflink/durable.ts';
import { sync } from '../drivers/sync.ts';
import { errorCode } from '../drivers/system-failure.ts';
import { mustBeName, mustBePath } from './limits.ts';
import type { QubesDb } from './qubesdb.port.ts';
import { type Request, requestsOf } from './request.ts';

type Entries = ReadonlyMap<string, string>;

/** `directory` keeps one file per VM; what another boot of the host wrote is gone, as a daemon's memory would be. */
type Store = { readonly directory: string; readonly bootId: string };

const fileOf = ({ directory }: Store, vm: string): string => join(directory, `${vm}.json`);

const isText = (value: unknown): value is string => typeof value === 'string';

/** Anything but what we wrote counts as empty: the file stands for memory, and memory that is lost is written again. */
const entriesIn = (text: string, bootId: string): Entries => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return new Map();
  }
  if (typeof parsed !== 'object' || parsed === null || !('bootId' in parsed) || parsed.bootId !== bootId)
    return new Map();
  if (!('entries' in parsed) || typeof parsed.entries !== 'object' || parsed.entries === null) return new Map();
  const entries = Object.entries(parsed.entries);
  return new Map(entries.filter((entry): entry is [string, string] => isText(entry[1])));
};

const load = async (store: Store, vm: string): Promise<Entries> => {
  try {
    return entriesIn(await readFile(fileOf(store, vm), 'utf8'), store.bootId);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return new Map();
    throw error;
  }
};

const byBytes = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1);

const save = async (store: Store, vm: string, entries: Entries): Promise<void> => {
  const path = fileOf(store, vm);
  await makeDirectory(store.directory);
  const sorted = Object.fromEntries([...entries].sort(byBytes));
  const text = `${JSON.stringify({ schema: 'domtrail/qubesdb/1', bootId: store.bootId, entries: sorted }, null, 1)}\n`;
  const temporary = `${path}~`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await sync(dirname(path));
};

const applied = (entries: Map<string, string>, request: Request): void => {
  if (request.is === 'write') entries.set(request.path, request.value.toString('utf8'));
  else if (!request.path.endsWith('/')) entries.delete(request.path);
  else for (const path of Array.from(entries.keys())) if (path.startsWith(request.path)) entries.delete(path);
};

/** The key itself and what is below it: the address 10.137.0.5 is no part of 10.137.0.50. */
export const isUnder = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);

const guarded = async <T>(vm: string, work: () => Promise<T>): Promise<Result<T, Failure>> => {
  try {
    return ok(await work());
  } catch (error) {
    const code = errorCode(error);
    if (code === null || !(error instanceof Error)) throw error;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    return err(
      failure(full ? 'D_DISK_FULL' : 'D_QUBESDB_UNREACHABLE', `the entries of ${vm} cannot be kept`, {
        cause: error.message,
      }),
    );
  }
};

const change = async (store: Store, vm: string, changes: readonly KeyChange[]): Promise<Result<null, Failure>> => {
  const name = mustBeName(vm);
  if (!name.ok) return name;
  const requests = requestsOf(changes);
  if (!requests.ok) return requests;
  return guarded(vm, async () => {
    const entries = new Map(await load(store, vm));
    for (const request of requests.value) applied(entries, request);
    await save(store, vm, entries);
    return null;
  });
};

/**
 * Where no daemon runs: the same entries, in one file per VM, replaced as a whole and flushed. Nobody is told of a change, so
 * a trigger is an entry like any other.
 */
export const embeddedQubesDb = (store: Store): QubesDb => ({
  read: async (vm, path) => {
    const name = mustBeName(vm);
    if (!name.ok) return name;
    const root = mustBePath(path);
    if (!root.ok) return root;
    return guarded(vm, async () => new Map([...(await load(store, vm))].filter(([key]) => isUnder(key, root.value))));
  },
  change: (vm, changes) => change(store, vm, changes),
  close: async () => undefined,
  begin: async (vm) => {
    const name = mustBeName(vm);
    if (!name.ok) return name;
    return guarded(vm, async () => {
      await save(store, vm, new Map());
      return null;
    });
  },
});
