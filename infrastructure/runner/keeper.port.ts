import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import type { Acted } from '../drivers/driver.port.ts';

/** done: what the deed wants is so, and would survive a power cut. ready: it can be done. */
type Standing = 'done' | 'ready';

/**
 * The hands for deeds that are about no disk. `look` fails with D_DRIFT when the world is neither as before nor as after the
 * deed. `act` must be safe to repeat after a crash at any instruction; what `look` says afterwards is the verdict.
 */
export type Keeper<D> = {
  readonly look: (deed: D) => Promise<Result<Standing, Failure>>;
  readonly act: (deed: D) => Promise<Acted>;
  /** What the last `look` at this deed read, as `sha256:...`, for the record of the step. */
  readonly digest?: (deed: D) => string | null;
};
