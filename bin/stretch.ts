import type { Failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { usage } from '../infrastructure/cli/arguments.ts';
import { beginningOf } from '../infrastructure/ledger/beginning.ts';
import { positionAt } from '../infrastructure/ledger/queries.ts';
import type { Stretch } from '../infrastructure/service/replay.ts';
import type { Reading } from './compose.ts';

/**
 * The events that a RANGE means: `A..B` those after A up to B, as git has it, either end may be left out; one position
 * means everything up to it. Ends are events, `@`, `@-` or times.
 */
export const stretchOf = (range: string | undefined, { ledger, asOf }: Reading): Result<Stretch, Failure> => {
  const all: Stretch = { after: beginningOf(ledger).position, to: asOf.position };
  if (range === undefined) return ok(all);
  const dots = range.indexOf('..');
  const [first, last] = dots < 0 ? ['', range] : [range.slice(0, dots), range.slice(dots + 2)];
  const after = first === '' ? ok(all.after) : positionAt(ledger, first);
  if (!after.ok) return after;
  const to = last === '' ? ok(all.to) : positionAt(ledger, last);
  if (!to.ok) return to;
  if (after.value > to.value) return err(usage(`${range}: ev:${after.value} comes after ev:${to.value}`, 'replay'));
  return ok({ after: after.value, to: Math.min(to.value, asOf.position) });
};
