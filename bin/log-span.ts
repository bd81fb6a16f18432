import type { Failure } from '../domain/failure.ts';
import { ok, type Result } from '../domain/result.ts';
import type { Arguments } from '../infrastructure/cli/arguments.ts';
import { positionAt, positionBefore } from '../infrastructure/ledger/queries.ts';
import type { Reading } from './compose.ts';
import { bootOf } from './log-boot.ts';
import type { Span } from './log-events.ts';

/** What `--since`, `--until` and `-b` mean. A time stands for the last event at or before it, an event for itself. */
export const spanOf = (args: Arguments, { ledger, asOf }: Reading): Result<Span, Failure> => {
  const since = args.text('since');
  const until = args.text('until');
  const from = since === undefined ? ok(0) : positionBefore(ledger, since);
  if (!from.ok) return from;
  const to = until === undefined ? ok(asOf.position) : positionAt(ledger, until);
  if (!to.ok) return to;
  const boot = bootOf(ledger, args.text('boot'), asOf.position);
  if (!boot.ok) return boot;
  return ok({ after: Math.max(from.value, boot.value.after), upTo: Math.min(to.value, boot.value.to) });
};
