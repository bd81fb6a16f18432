import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Owner } from '../../domain/command/events.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Ledger, writing } from '../ledger/ledger.ts';
import { processLives, thisProcess } from '../ledger/process-identity.ts';
import { guarded } from '../ledger/sqlite-failure.ts';

const isOwner = (value: unknown): value is Owner =>
  typeof value === 'object' &&
  value !== null &&
  'pid' in value &&
  Number.isInteger(value.pid) &&
  'startTime' in value &&
  typeof value.startTime === 'string' &&
  'bootId' in value &&
  typeof value.bootId === 'string';

/** Who the file names; null when there is none, or when it is not one of ours. */
const holderIn = (file: string): Owner | null => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    return isOwner(value) ? value : null;
  } catch {
    return null;
  }
};

const isUs = ({ pid, startTime }: Owner): boolean => pid === process.pid && startTime === thisProcess().startTime;

const claim = (file: string): Result<null, Failure> => {
  const holder = holderIn(file);
  if (holder && !isUs(holder) && processLives(holder)) {
    return err(
      failure('D_BUSY', `another serve (pid ${holder.pid}) keeps this home`, { next: `kill ${holder.pid}, to end it` }),
    );
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}~`, `${JSON.stringify(thisProcess())}\n`, { mode: 0o600 });
  renameSync(`${file}~`, file);
  return ok(null);
};

/**
 * Makes this process the only `serve` of a home, or fails as D_BUSY with the pid of the one that lives. One that was killed,
 * or lived before a reboot, is replaced. The ledger's write lock keeps two from looking at the same moment. Gives the way to
 * let go.
 */
export const beTheOnlyOne = (ledger: Ledger, file: string): Result<() => void, Failure> => {
  const claimed = guarded(ledger.file, () => writing(ledger, () => claim(file)));
  if (!claimed.ok) return claimed;
  return ok(() => {
    const holder = holderIn(file);
    if (holder && isUs(holder)) rmSync(file, { force: true });
  });
};
