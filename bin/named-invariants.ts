import { type Failure, failure } from '../domain/failure.ts';
import type { Invariant } from '../domain/invariants/invariant.ts';
import { INVARIANTS } from '../domain/invariants/invariants.ts';
import { err, ok, type Result } from '../domain/result.ts';

/** The invariants of those names; all of them for none. */
export const invariantsNamed = (names: readonly string[]): Result<readonly Invariant[], Failure> => {
  if (names.length === 0) return ok(INVARIANTS);
  const found: Invariant[] = [];
  for (const name of names) {
    const one = INVARIANTS.find((invariant) => invariant.name === name);
    if (!one)
      return err(failure('D_NOT_FOUND', `there is no invariant ${name}`, { next: 'domtrail explain invariants' }));
    found.push(one);
  }
  return ok(found);
};
