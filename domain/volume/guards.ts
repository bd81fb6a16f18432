import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';
import type { Vm } from '../vm/vm.ts';
import type { Volume } from './volume.ts';

export const mustBeHalted = (vm: Vm): Result<null, Failure> =>
  vm.power.is === 'halted'
    ? ok(null)
    : err(failure('D_NOT_HALTED', `VM ${vm.name} is running`, { next: `domtrail vm stop ${vm.name}` }));

/** Refuses while a crash has left a session that nobody decided about. */
export const mustNotBeDirty = (volume: Volume): Result<null, Failure> => {
  if (volume.situation.is !== 'dirty') return ok(null);
  const { key } = volume.spec;
  return err(
    failure('D_DIRTY', `${key} holds the data of a session that the host's crash interrupted`, {
      next: `domtrail volume commit ${key}   (keep it)   or   domtrail volume discard ${key}   (throw it away)`,
    }),
  );
};

export const mustSaveOnStop = (volume: Volume, what: string): Result<null, Failure> =>
  volume.spec.saveOnStop
    ? ok(null)
    : err(failure('D_NOTHING_COMMITTED', `${volume.spec.key} is not kept at stop, so there is nothing to ${what}`));

export const mustBeWritable = (volume: Volume): Result<null, Failure> =>
  volume.spec.rw ? ok(null) : err(failure('D_READ_ONLY', `${volume.spec.key} is read-only`));

/** The first refusal of several, in order. */
export const all = (...checks: readonly Result<null, Failure>[]): Result<null, Failure> =>
  checks.find((check) => !check.ok) ?? ok(null);
