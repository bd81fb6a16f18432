import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

type Event = { readonly type: string; readonly data: unknown };
type Connection = {
  readonly command: (sql: string) => Promise<unknown>;
  readonly querySingle: (sql: string) => Promise<Readonly<Record<string, unknown>> | null>;
  readonly close: () => void;
};
type Store = {
  readonly appendToStream: (stream: string, events: readonly Event[], options: object) => Promise<unknown>;
};
type Package = {
  readonly sqliteConnection: (options: object) => Connection;
  readonly getSQLiteEventStore: (options: object) => Store;
};

export type Rival = { readonly append: (n: number) => Promise<void>; readonly close: () => void };

const DATA = { vm: 'vm-000', name: 'kernelopts', value: 'x'.repeat(116), before: 'x'.repeat(116) };

/** Emmett's SQLite store on one shared connection that writes as durably as ours; null where it is not installed in `folder`. */
export const openEmmett = async (folder: string, file: string): Promise<Rival | null> => {
  if (!existsSync(join(folder, 'node_modules'))) return null;
  const emmett = createRequire(join(folder, 'package.json'))('@event-driven-io/emmett-sqlite') as Package;
  const connection = emmett.sqliteConnection({ fileName: file });
  await connection.command('PRAGMA journal_mode = WAL');
  await connection.command('PRAGMA synchronous = FULL');
  const store = emmett.getSQLiteEventStore({
    fileName: file,
    schema: { autoMigration: 'CreateOrUpdate' },
    connectionOptions: { singleton: true, connection },
  });
  const versions = new Map<string, bigint>();
  const append = async (n: number): Promise<void> => {
    const stream = `vm-${n % 200}`;
    const expectedStreamVersion = versions.get(stream) ?? 'STREAM_DOES_NOT_EXIST';
    const result = (await store.appendToStream(stream, [{ type: 'PropertySet', data: { ...DATA, n } }], {
      expectedStreamVersion,
    })) as {
      readonly nextExpectedStreamVersion: bigint;
    };
    versions.set(stream, result.nextExpectedStreamVersion);
  };
  await append(0);
  const { synchronous } = (await connection.querySingle('PRAGMA synchronous')) ?? {};
  if (synchronous !== 2)
    throw new Error(`Emmett's connection writes with synchronous=${String(synchronous)}, ours with 2`);
  return { append, close: () => connection.close() };
};
