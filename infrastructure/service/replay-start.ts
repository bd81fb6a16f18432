import type { Operation } from '../../domain/command/operation.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Breach } from '../../domain/invariants/invariant.ts';
import { hostAtBeginning } from '../ledger/beginning.ts';
import { foldTo } from '../ledger/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** A command that was under way where a stretch begins. */
type Underway = Pick<Operation, 'command' | 'name' | 'position'>;

/**
 * Where a replay has to begin to know where every disk lies: facts say so only when no command is under way. `after`: at or
 * before the one asked for; what comes between is gone through and not told of. `under`: why. `leftOut`: commands that the
 * ledger itself begins in; nothing is said about what they hold.
 */
export type Start = {
  readonly after: number;
  readonly host: Host;
  readonly under: readonly Underway[];
  readonly leftOut: readonly Operation[];
};

/** Where it began, without the state. */
export type Begun = Omit<Start, 'host'>;

export const begunAt = ({ after, under, leftOut }: Start): Begun => ({ after, under, leftOut });

const named = ({ command, name, position }: Operation): Underway => ({ command, name, position });

/** The last moment at or before a position at which no command was under way, and the state then. */
export const startFor = (ledger: Ledger, after: number): Start => {
  const host = hostAtBeginning(ledger);
  const begun = [...host.operations.values()];
  let quiet: number | null = begun.length === 0 ? host.position : null;
  foldTo(ledger, after, host, ({ position }) => {
    if (host.operations.size === 0) quiet = position;
  });
  const under = [...host.operations.values()].map(named);
  if (under.length === 0) return { after, host, under, leftOut: [] };
  const start = hostAtBeginning(ledger);
  return {
    after: quiet ?? start.position,
    host: quiet === null ? start : foldTo(ledger, quiet, start),
    under,
    leftOut: quiet === null ? begun : [],
  };
};

/** Which breaches to tell: those of the stretch, and none about what a command holds that the ledger begins in. */
export const isToldIn = ({ leftOut }: Start, after: number): ((breach: Breach) => boolean) => {
  const commands = new Set(leftOut.map(({ command }) => command));
  const vms = new Set(leftOut.flatMap(({ holds }) => holds.map(({ object }) => object.split(':', 1)[0] ?? object)));
  return ({ object, recorded }) =>
    recorded.position > after && !commands.has(recorded.command) && !vms.has(object.split(':', 1)[0] ?? object);
};
