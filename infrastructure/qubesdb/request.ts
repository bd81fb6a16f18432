import { randomBytes } from 'node:crypto';
import type { Failure } from '../../domain/failure.ts';
import type { KeyChange, Source } from '../../domain/qubesdb/key-change.ts';
import { ok, type Result } from '../../domain/result.ts';
import { mustBeKey, mustBePath, mustBeValue } from './limits.ts';

/** A change whose path and value a daemon takes as they are. */
export type Request =
  | { readonly is: 'write'; readonly path: string; readonly value: Buffer }
  | { readonly is: 'remove'; readonly path: string };

const SEED_BYTES = 64;

const bytesOf = (value: string | Source): Buffer =>
  Buffer.from(typeof value === 'string' ? value : randomBytes(SEED_BYTES).toString('base64'));

const requestOf = (change: KeyChange): Result<Request, Failure> => {
  if ('remove' in change) {
    const path = mustBePath(change.remove);
    return path.ok ? ok({ is: 'remove', path: path.value }) : path;
  }
  const path = mustBeKey(change.write);
  if (!path.ok) return path;
  const value = mustBeValue(path.value, bytesOf(change.value));
  return value.ok ? ok({ is: 'write', path: path.value, value: value.value }) : value;
};

/** All of them checked before the first is sent: a list that cannot be written whole is not begun. */
export const requestsOf = (changes: readonly KeyChange[]): Result<readonly Request[], Failure> => {
  const requests: Request[] = [];
  for (const change of changes) {
    const request = requestOf(change);
    if (!request.ok) return request;
    requests.push(request.value);
  }
  return ok(requests);
};
