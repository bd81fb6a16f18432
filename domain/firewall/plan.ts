import type { Hold } from '../command/events.ts';
import type { Context, Decision } from '../decision.ts';
import { holdName, reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { introducing } from '../network/at-start.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import { ok } from '../result.ts';
import type { Vm } from '../vm/vm.ts';
import type { FirewallCause, FirewallFact } from './events.ts';
import { filedLines, firewallPath, liveLines } from './firewall.ts';
import { publications, type Revision } from './publication.ts';
import type { Firewall, RuleLine } from './rule.ts';

const same = (a: readonly RuleLine[] | null, b: readonly RuleLine[] | null): boolean =>
  a === null || b === null ? a === b : a.length === b.length && a.every((line, at) => line === b[at]);

/** The step that brings firewall.xml from one list to another; none where the file stays the same. */
const fileStep = (builder: PlanBuilder, vm: Pick<Vm, 'name' | 'class'>, { before, after, over }: Revision): void => {
  const [was, becomes] = [filedLines(before), filedLines(after)];
  if (over !== 'anything' && same(was, becomes)) return;
  builder.main(vm.name, {
    do: 'writeFirewall',
    vm: vm.name,
    path: firewallPath(vm),
    before: was,
    after: becomes,
    over,
  });
};

/** What one firewall command holds: its VM must not go, and only one changes the rules at a time. */
const holdsFor = ({ name }: Vm): readonly Hold[] => [reading(name), holdName(`${name}:firewall.xml`)];

type Changing = { readonly filing: Revision; readonly fact: FirewallFact };
type Into = { readonly builder: PlanBuilder; readonly context: Context };

/** File first, then QubesDB: what a killed command leaves published is never ahead of what stock would read from the file. */
export const changeFirewall = (
  host: Host,
  vm: Vm,
  { filing, fact }: Changing,
  { builder, context }: Into,
): readonly Hold[] => {
  fileStep(builder, vm, filing);
  const publishing = publications(host, vm, filing, context);
  // Published over anything: the netvm may be new, or its QubesDB empty.
  const isAfresh = filing.over === 'anything' && publishing.facts.length > 0;
  for (const deed of [...(isAfresh ? introducing(host, vm) : []), ...publishing.deeds]) builder.main(vm.name, deed);
  builder.fact(fact);
  for (const published of publishing.facts) builder.fact(published);
  return holdsFor(vm);
};

export const planFirewall = (host: Host, vm: Vm, changing: Changing, context: Context): Decision => {
  const builder = planBuilder(context.position);
  const holds = changeFirewall(host, vm, changing, { builder, context });
  return ok({ plan: builder.build(), holds });
};

export const nothingToDo = (vm: Vm): Decision =>
  ok({ plan: { main: [], facts: [], cleanup: [] }, holds: holdsFor(vm) });

/** A new VM starts with the live rules of another, as stock's disposables and qvm-clone do. */
export const inheritFirewall = (
  builder: PlanBuilder,
  vm: Pick<Vm, 'name' | 'class'>,
  from: Firewall | null,
  { now }: Context,
): void => {
  if (from === null) return;
  firstFirewall(builder, vm, { rules: liveLines(from.rules, now), asOf: now }, 'cloned');
};

/** The rules that a VM about to exist begins with. */
export const firstFirewall = (
  builder: PlanBuilder,
  vm: Pick<Vm, 'name' | 'class'>,
  after: Firewall,
  cause: FirewallCause,
): void => {
  fileStep(builder, vm, { before: null, after, over: 'ours' });
  builder.fact({ type: 'FirewallChanged', vm: vm.name, before: null, after, cause });
};

/** The rules that a VM comes with by adoption. `filed`: they also go into the firewall.xml of this home, over anything. */
export const takeFirewall = (
  builder: PlanBuilder,
  vm: Pick<Vm, 'name' | 'class'>,
  rules: readonly RuleLine[],
  { now, filed }: { readonly now: number; readonly filed: boolean },
): void => {
  const after: Firewall = { rules, asOf: now };
  if (filed) fileStep(builder, vm, { before: null, after, over: 'anything' });
  builder.fact({ type: 'FirewallChanged', vm: vm.name, before: null, after, cause: 'adopted' });
};

/** firewall.xml goes with its VM; its rules stay in the log. What somebody else put in its place is kept aside. */
export const dropFirewall = (builder: PlanBuilder, vm: Vm): void => {
  if (vm.firewall !== null) fileStep(builder, vm, { before: vm.firewall, after: null, over: 'anything' });
};
