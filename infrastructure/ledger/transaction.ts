import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { assertFullSync, type Connection } from './connection.ts';
import { checkToken } from './lease.ts';
import { dataVersion, forgetLog, type Ledger, readHead, writing } from './ledger.ts';
import { guarded } from './sqlite-failure.ts';

/** Rolls a transaction back with a reason; never leaves this module. */
class Refused extends Error {
  readonly failure: Failure;
  constructor(reason: Failure) {
    super(reason.message);
    this.failure = reason;
  }
}

/** Inside `inTransaction`: goes on with the value, or takes everything back and ends with the failure. */
export const insist = <T>(result: Result<T, Failure>): T => {
  if (!result.ok) throw new Refused(result.error);
  return result.value;
};

/** A connection's level is only known after its first write (spec: baselines), so it is looked at once, then. */
const ASSERTED = new WeakSet<Connection>();

const assertOnce = (db: Connection): void => {
  if (ASSERTED.has(db)) return;
  assertFullSync(db);
  ASSERTED.add(db);
};

/** What the process knows is what the file says, unless somebody else has written since. */
const lookAgain = (ledger: Ledger, version: number): void => {
  const { cache } = ledger;
  if (cache.seen === version && cache.token !== null) return;
  insist(checkToken(ledger));
  cache.head = readHead(ledger);
  cache.steady = false;
  forgetLog(ledger);
};

const commit = <T>(ledger: Ledger, work: () => T): T => {
  let version = 0;
  const value = writing(ledger, () => {
    version = dataVersion(ledger);
    lookAgain(ledger, version);
    return work();
  });
  ledger.cache.seen = version;
  return value;
};

/**
 * The one way to write to the log: under SQLite's write lock, with the lease's token checked, all or nothing. What the
 * process knew about the state is forgotten when the transaction does not commit, because it ran ahead of the log.
 */
export const inTransaction = <T>(ledger: Ledger, work: () => T): Result<T, Failure> => {
  const { cache } = ledger;
  const before = cache.head;
  let committed = false;
  try {
    const result = guarded(ledger.file, () => ok(commit(ledger, work)));
    committed = result.ok;
    if (committed) assertOnce(ledger.db);
    return result;
  } catch (error) {
    if (error instanceof Refused) return err(error.failure);
    throw error;
  } finally {
    if (!committed) {
      cache.host = null;
      cache.head = before;
      cache.seen = null;
      forgetLog(ledger);
    } else if (cache.head.position !== before.position) {
      for (const tell of ledger.committed) tell(cache.head.position);
    }
  }
};
