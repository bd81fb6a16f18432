import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { bootId } from '../ledger/process-identity.ts';
import { type QubesDbClient, qubesDbClient } from './client.ts';
import { openConnection } from './connection.ts';
import { embeddedQubesDb } from './embedded.ts';
import { mustBeName } from './limits.ts';
import type { QubesDb } from './qubesdb.port.ts';

/** Where daemons have their sockets (spec: C.1); DOMTRAIL_QUBESDB_DIR puts another directory in its place. */
const daemonsIn = (): string => process.env['DOMTRAIL_QUBESDB_DIR'] || '/var/run/qubes';

/** A daemon that is busy with others may be slow; one that hangs must not hold a command for ever. */
const ANSWER_MS = 10_000;

const socketOf = (vm: string): string => join(daemonsIn(), `qubesdb.${vm}.sock`);

const isSocket = async (path: string): Promise<boolean> => {
  try {
    return (await lstat(path)).isSocket();
  } catch {
    return false;
  }
};

/** The daemon of a VM where it has one, else the entries kept below `directory`. */
export const qubesDbAt = (directory: string): QubesDb => {
  const embedded = embeddedQubesDb({ directory, bootId: bootId() });
  const clients = new Map<string, QubesDbClient>();
  const daemonOf = async (vm: string): Promise<QubesDbClient | null> => {
    if (!mustBeName(vm).ok) return null;
    const path = socketOf(vm);
    if (!(await isSocket(path))) return null;
    const client = clients.get(vm) ?? qubesDbClient({ path, timeoutMs: ANSWER_MS });
    clients.set(vm, client);
    return client;
  };
  return {
    read: async (vm, path) => {
      const daemon = await daemonOf(vm);
      return daemon ? daemon.readUnder(path) : embedded.read(vm, path);
    },
    change: async (vm, changes) => {
      const daemon = await daemonOf(vm);
      return daemon ? daemon.change(changes) : embedded.change(vm, changes);
    },
    begin: async (vm) => ((await daemonOf(vm)) ? { ok: true, value: null } : embedded.begin(vm)),
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
      clients.clear();
    },
  };
};

/** An idle connection closes at once; a daemon that does not even do that is left. */
const GOODBYE_MS = 1000;

/** A connection to the daemon of a VM that nothing is ever asked on; null where none answers. `onEnd`: it is over. */
export const attendDaemon = async (
  vm: string,
  onEnd: () => void,
): Promise<{ readonly close: () => Promise<void> } | null> => {
  if (!mustBeName(vm).ok) return null;
  const path = socketOf(vm);
  if (!(await isSocket(path))) return null;
  const connection = await openConnection({ path, timeoutMs: GOODBYE_MS, onEnd });
  return connection.ok ? connection.value : null;
};
