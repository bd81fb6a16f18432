import type { Decide } from '../decision.ts';
import { holdName, reading } from '../holds.ts';
import { servingAgain } from '../network/at-start.ts';
import { runs } from '../network/network.ts';
import { planBuilder } from '../plan-builder.ts';
import { ok } from '../result.ts';
import { findVm } from '../volume/find.ts';
import type { RewriteKeys } from './commands.ts';

/**
 * Everything that the start of a running VM wrote into its QubesDB, and the rules of those it serves, anew: a daemon that was
 * started again remembers nothing. A VM that does not run has no QubesDB.
 */
export const decideRewriteKeys: Decide<RewriteKeys> = (host, { vm: name }, context) => {
  const vm = findVm(host, name);
  if (!vm.ok) return vm;
  const builder = planBuilder(context.position);
  const holds = [reading(name), holdName(`${name}:qubesdb`)];
  if (!runs(vm.value)) return ok({ plan: builder.build(), holds });
  const { deeds, facts, holds: rules } = servingAgain(host, vm.value, context);
  for (const deed of deeds) builder.main(name, deed);
  for (const fact of facts) builder.fact(fact);
  return ok({ plan: builder.build(), holds: [...holds, ...rules] });
};
