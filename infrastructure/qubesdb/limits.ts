import { type Failure, failure } from '../../domain/failure.ts';
import { isPath, LONGEST_PATH, LONGEST_VALUE } from '../../domain/qubesdb/key-change.ts';
import { err, ok, type Result } from '../../domain/result.ts';

const refused = (what: string): Result<never, Failure> => err(failure('D_QUBESDB_REFUSED', what));

const shown = (path: string): string => JSON.stringify(path.length > 80 ? `${path.slice(0, 80)}…` : path);

/** A path that may be asked about or, ending in "/", removed with everything below it. */
export const mustBePath = (path: string): Result<string, Failure> => {
  if (isPath(path)) return ok(path);
  return path.length > LONGEST_PATH
    ? refused(`the QubesDB path ${shown(path)} is longer than ${LONGEST_PATH} bytes`)
    : refused(`${shown(path)} is no path in QubesDB`);
};

/** A path that can hold a value. */
export const mustBeKey = (path: string): Result<string, Failure> =>
  path.endsWith('/') ? refused(`${shown(path)} names a folder of QubesDB, not a key`) : mustBePath(path);

export const mustBeValue = (path: string, value: Buffer): Result<Buffer, Failure> => {
  if (value.length > LONGEST_VALUE) {
    return refused(`the value of ${shown(path)} has ${value.length} bytes, where QubesDB takes ${LONGEST_VALUE}`);
  }
  return value.includes(0) ? refused(`the value of ${shown(path)} has a NUL byte`) : ok(value);
};

/** A VM's name as part of a file name. Adopted names can be anything. */
export const mustBeName = (vm: string): Result<string, Failure> =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(vm)
    ? ok(vm)
    : refused(`no file is ever named after ${shown(vm)}, so it has no QubesDB here`);
