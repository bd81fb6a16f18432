import type { Decide } from '../decision.ts';
import { failure } from '../failure.ts';
import { holdName } from '../holds.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok } from '../result.ts';
import type { IgnoreDrift, NoticeDrift, OverruleDocument } from './commands.ts';

/** Nothing is touched; the differences are known from now on, with who said so and why. */
export const decideIgnoreDrift: Decide<IgnoreDrift> = (host, { differences, reason }, context) => {
  const builder = planBuilder(context.position);
  for (const { object, about, problem, fingerprint } of differences) {
    const answer = host.answers.get(object);
    if (answer?.is === 'ignored' && answer.fingerprint === fingerprint) continue;
    builder.fact({ type: 'DriftIgnored', object, about, problem, fingerprint, reason });
  }
  return ok({ plan: builder.build(), holds: differences.map(({ object }) => holdName(object)) });
};

/** From now on the file may be written over, when it still is the one that somebody saw. */
export const decideOverruleDocument: Decide<OverruleDocument> = (_host, { object, digest }, context) => {
  const builder = planBuilder(context.position);
  builder.fact({ type: 'DocumentOverruled', object, about: null, digest });
  return ok({ plan: builder.build(), holds: [holdName(object)] });
};

export const decideNoticeDrift: Decide<NoticeDrift> = (host, { objects }, context) => {
  const unknown = objects.find((object) => !host.answers.has(object));
  if (unknown !== undefined) {
    return err(failure('D_NOT_FOUND', `${unknown} is not ignored`, { next: 'domtrail drift --all' }));
  }
  const builder = planBuilder(context.position);
  for (const object of objects) builder.fact({ type: 'DriftNoticed', object, about: null });
  return ok({ plan: builder.build(), holds: objects.map(holdName) });
};
