import type { Failure } from '../../domain/failure.ts';
import type { KeyChange } from '../../domain/qubesdb/key-change.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Ask, type Connection, openConnection, type Replies } from './connection.ts';
import { isUnder } from './embedded.ts';
import { mustBeKey, mustBePath, mustBeValue } from './limits.ts';
import { ASK } from './message.ts';
import { type Request, requestsOf } from './request.ts';

type Answer<T> = Promise<Result<T, Failure>>;

/** Everything a QubesDB daemon does, over its socket. Paths and values are checked before anything is sent. */
export type QubesDbClient = {
  /** null: no such key */
  readonly read: (path: string) => Answer<Buffer | null>;
  readonly write: (path: string, value: string | Buffer) => Answer<null>;
  /** A path that ends in "/": everything below it. Nothing to remove is no failure. */
  readonly remove: (path: string) => Answer<null>;
  /** Paths that begin with these letters. */
  readonly list: (prefix: string) => Answer<readonly string[]>;
  /** Keys and values whose paths begin with these letters. */
  readonly multiread: (prefix: string) => Answer<ReadonlyMap<string, Buffer>>;
  /** The key and all below it, as text. */
  readonly readUnder: (path: string) => Answer<ReadonlyMap<string, string>>;
  /** Requests in order, several of them under way at a time; the first that fails is told. */
  readonly change: (changes: readonly KeyChange[]) => Answer<null>;
  readonly watch: (path: string) => Answer<null>;
  readonly unwatch: (path: string) => Answer<null>;
  readonly close: () => Promise<void>;
};

type HowToReach = {
  readonly path: string;
  readonly timeoutMs: number;
  readonly onWatch?: (path: string) => void;
  readonly onEnd?: () => void;
};

const plain = (replies: Replies): Result<null, Failure> => (replies.ok ? ok(null) : replies);

const askFor = (request: Request): Ask =>
  request.is === 'write'
    ? { type: ASK.write, path: request.path, data: request.value }
    : { type: ASK.remove, path: request.path };

/** Connects when first asked, and again when a connection was over before the question. */
const reaching = (how: HowToReach) => {
  let opening: Promise<Result<Connection, Failure>> | null = null;
  const reach = async (): Answer<Connection> => {
    const open = opening && (await opening);
    if (open?.ok && open.value.isOpen()) return open;
    opening = openConnection(how);
    return opening;
  };
  const ask = async (request: Ask): Promise<Replies> => {
    const connection = await reach();
    return connection.ok ? connection.value.ask(request) : connection;
  };
  const close = async (): Promise<void> => {
    const open = opening && (await opening);
    opening = null;
    if (open?.ok) await open.value.close();
  };
  return { reach, ask, close };
};

/** A client for the daemon behind a socket. Fails with the codes of the port; see `QubesDb`. */
export const qubesDbClient = (how: HowToReach): QubesDbClient => {
  const { reach, ask, close } = reaching(how);
  const about = async (type: Ask['type'], path: string): Promise<Replies> => {
    const valid = mustBePath(path);
    return valid.ok ? ask({ type, path }) : valid;
  };
  const multiread = async (prefix: string): Answer<ReadonlyMap<string, Buffer>> => {
    const replies = await about(ASK.multiread, prefix);
    if (!replies.ok) return replies;
    return ok(new Map((replies.value ?? []).slice(0, -1).map(({ path, data }) => [path, data])));
  };
  const change = async (changes: readonly KeyChange[]): Answer<null> => {
    const requests = requestsOf(changes);
    if (!requests.ok) return requests;
    const connection = await reach();
    if (!connection.ok) return connection;
    const answers = await Promise.all(requests.value.map((request) => connection.value.ask(askFor(request))));
    const failed = answers.find((answer) => !answer.ok);
    return failed && !failed.ok ? err(failed.error) : ok(null);
  };
  return {
    read: async (path) => {
      const replies = await about(ASK.read, path);
      return replies.ok ? ok(replies.value?.[0]?.data ?? null) : replies;
    },
    write: async (path, value) => {
      const key = mustBeKey(path);
      if (!key.ok) return key;
      const data = mustBeValue(path, Buffer.from(value));
      return data.ok ? plain(await ask({ type: ASK.write, path, data: data.value })) : data;
    },
    remove: async (path) => plain(await about(ASK.remove, path)),
    list: async (prefix) => {
      const replies = await about(ASK.list, prefix);
      return replies.ok ? ok((replies.value ?? []).slice(0, -1).map(({ path }) => path)) : replies;
    },
    multiread,
    readUnder: async (path) => {
      const all = await multiread(path);
      if (!all.ok) return all;
      const under = [...all.value].filter(([key]) => isUnder(key, path));
      return ok(new Map(under.map(([key, value]) => [key, value.toString('utf8')])));
    },
    change,
    watch: async (path) => plain(await about(ASK.watch, path)),
    unwatch: async (path) => plain(await about(ASK.unwatch, path)),
    close,
  };
};
