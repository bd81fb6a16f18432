import type { Decide, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { planMoves } from '../network/moves.ts';
import { err, ok } from '../result.ts';
import type { RestoreOperation } from './commands.ts';
import { machineBack } from './machines.ts';
import { mustStandAlone, stateAfter } from './outcome.ts';
import { GLOBAL, poolsBack, siteBack } from './site.ts';
import { readWanted, type Wanted } from './wanted.ts';
import { hold, type WayBack, wayBackFrom } from './way-back.ts';

const everything = (way: WayBack, wanted: Wanted): void => {
  siteBack(way, wanted);
  poolsBack(way, wanted);
  for (const { vm, past } of wanted.vms) machineBack(way, vm, past, null);
};

/** Only what concerns one object. False when there is and was no such thing. */
const part = (way: WayBack, wanted: Wanted, only: string): boolean => {
  if (only === GLOBAL) {
    siteBack(way, wanted);
    return true;
  }
  const colon = only.indexOf(':');
  const name = (colon < 0 ? only : only.slice(0, colon)) as VmName;
  const changed = wanted.vms.find(({ vm }) => vm === name);
  if (changed) machineBack(way, name, changed.past, colon < 0 ? null : only);
  const known = changed?.past ?? way.host.vms.get(name);
  return known !== undefined && (colon < 0 || Object.hasOwn(known.volumes, only.slice(colon + 1)));
};

const sentences = (list: readonly string[]): string => list.join('\n');

const verdict = (host: Host, way: WayBack): Decision => {
  const [refusal, ...others] = way.refused;
  if (refusal) {
    const cause = sentences(others.map(({ message }) => message));
    return err({ ...refusal, ...(cause === '' ? {} : { cause }) });
  }
  const { builder, context } = way;
  hold(way, ...planMoves(builder, { before: host, after: stateAfter(host, builder.build()), context }));
  const plan = builder.build();
  if (way.builder.size() === 0 && way.lost.length > 0) {
    const [first = '', ...rest] = way.lost;
    return err(failure('D_CANNOT_UNDO', first, rest.length === 0 ? {} : { cause: sentences(rest) }));
  }
  const broken: Failure | null = mustStandAlone(host, plan);
  return broken ? err(broken) : ok({ plan, holds: [...way.holds.values()], remarks: way.lost });
};

const MOST_NAMED = 5;

const shortOf = (id: string): string => (/^[0-9a-f]{8}-/.test(id) ? id.slice(0, 8) : id);

/** Nobody can say what something would be without an operation, when others went on from what that one had left. */
const changedAgain = ({ touched = [] }: Wanted): Failure | null => {
  const [first] = touched;
  if (!first) return null;
  const says = touched.slice(0, MOST_NAMED).map(({ object, aspect, by }) => {
    const who = by.map(({ command, name }) => `${name} cmd:${shortOf(command)}`).join(', ');
    return `${aspect} of ${object} was changed since by ${who === '' ? 'others' : who}`;
  });
  if (touched.length > MOST_NAMED) says.push(`and ${touched.length - MOST_NAMED} more`);
  const [message = '', ...others] = says;
  const newest = first.by.at(-1)?.command;
  const next =
    newest === undefined
      ? 'domtrail op log'
      : `domtrail op revert ${shortOf(newest)}   first, or domtrail op restore OP --only ${first.object}`;
  return failure('D_CANNOT_UNDO', message, { next, ...(others.length === 0 ? {} : { cause: sentences(others) }) });
};

/**
 * The way back to an earlier state, as one plan. Nothing is destroyed by it: what is replaced becomes a revision, what goes
 * is trash. Remarks say what does not come back.
 */
export const decideRestoreOperation: Decide<RestoreOperation> = (host, { only, head }, context) => {
  if (host.position !== head) {
    return err(failure('D_CANNOT_UNDO', `the log has gone on since ev:${head}: look again, then repeat`));
  }
  if (!context.wanted) throw new Error('a way back needs the past it leads to');
  const wanted = readWanted(context.wanted);
  const again = changedAgain(wanted);
  if (again) return err(again);
  const way = wayBackFrom(host, context, wanted.contents);
  if (only === null) everything(way, wanted);
  else if (!part(way, wanted, only)) return err(failure('D_NOT_FOUND', `there is no ${only}, and was none then`));
  return verdict(host, way);
};
