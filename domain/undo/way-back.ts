import type { Hold } from '../command/events.ts';
import type { Context } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import type { Contents } from './content.ts';

/** A way back while it is made. Everything goes into one plan, so it is one operation: done as a whole or not at all. */
export type WayBack = {
  readonly host: Host;
  readonly context: Context;
  readonly contents: Contents;
  readonly builder: PlanBuilder;
  /** what cannot come back or is not as it was, one sentence each; the rest is done without it */
  readonly lost: string[];
  /** what stands in the way of all of it */
  readonly refused: Failure[];
  readonly holds: Map<string, Hold>;
};

export const wayBackFrom = (host: Host, context: Context, contents: Contents): WayBack => ({
  host,
  context,
  contents,
  builder: planBuilder(context.position),
  lost: [],
  refused: [],
  holds: new Map(),
});

/** Writing is the stronger hold, whichever was asked for first. */
export const hold = ({ holds }: WayBack, ...more: readonly Hold[]): void => {
  for (const one of more) if (one.mode === 'write' || !holds.has(one.object)) holds.set(one.object, one);
};

export const refuse = ({ refused }: WayBack, message: string, next?: string): void => {
  refused.push(failure('D_CANNOT_UNDO', message, next === undefined ? {} : { next }));
};
