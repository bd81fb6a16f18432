import type { Context, Decide, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { err, ok, type Result } from '../result.ts';
import type { Vm } from '../vm/vm.ts';
import { findVm } from '../volume/find.ts';
import type { AddRule, FirewallTarget, RemoveRule, SetFirewall } from './commands.ts';
import type { FirewallCause } from './events.ts';
import { linesOf, liveLines } from './firewall.ts';
import { mustFit, mustNotBeTooMany } from './limits.ts';
import { invalid } from './options.ts';
import { parseRule } from './parse.ts';
import { nothingToDo, planFirewall } from './plan.ts';
import type { Revision } from './publication.ts';
import type { RuleLine } from './rule.ts';
import { lineOf } from './texts.ts';

const findFirewall = (host: Host, name: VmName): Result<Vm, Failure> => {
  const vm = findVm(host, name);
  if (!vm.ok) return vm;
  return vm.value.class === 'AdminVM' ? err(failure('D_CLASS_REFUSES', `${name} has no network and no firewall`)) : vm;
};

/**
 * A line as a rule to keep, in normal form. Stock takes `dsthost=` too, but cannot read the firewall.xml it then writes, and
 * its agent blocks the VM because the name does not resolve.
 */
export const ruleToKeep = (text: string): Result<RuleLine, Failure> => {
  const parsed = parseRule(text);
  const rule = parsed.ok ? mustFit(parsed.value) : parsed;
  if (!rule.ok) return rule;
  if (rule.value.destination?.text === '') return invalid('dsthost', '', 'a rule to keep needs a name or an address');
  return ok(lineOf(rule.value));
};

type Change = { readonly vm: Vm; readonly rules: readonly RuleLine[]; readonly cause: FirewallCause };

/** What a change may write its file over, where that is not only what we wrote. */
const OVER: Partial<Readonly<Record<FirewallCause, Revision['over']>>> = {
  adopted: 'anything',
  expired: 'oursElseLeave',
};

const changeTo = (host: Host, { vm, rules, cause }: Change, context: Context): Decision => {
  const before = vm.firewall;
  const after = { rules, asOf: context.now };
  return planFirewall(
    host,
    vm,
    {
      filing: { before, after, over: OVER[cause] ?? 'ours' },
      fact: { type: 'FirewallChanged', vm: vm.name, before, after, cause },
    },
    context,
  );
};

const decideRules =
  (cause: 'set' | 'adopted'): Decide<SetFirewall> =>
  (host, payload, context) => {
    const vm = findFirewall(host, payload.vm);
    if (!vm.ok) return vm;
    const rules: RuleLine[] = [];
    for (const [at, text] of payload.rules.entries()) {
      const rule = ruleToKeep(text);
      if (!rule.ok) return err({ ...rule.error, message: `rule ${at}: ${rule.error.message}` });
      rules.push(rule.value);
    }
    const before = vm.value.firewall?.rules ?? null;
    const unchanged = before?.length === rules.length && before.every((line, at) => line === rules[at]);
    return unchanged ? nothingToDo(vm.value) : changeTo(host, { vm: vm.value, rules, cause }, context);
  };

export const decideSetFirewall = decideRules('set');

/** Takes over what somebody else wrote into the file. It is written again in our form; theirs is kept beside. */
export const decideAdoptFirewall = decideRules('adopted');

export const decideAddRule: Decide<AddRule> = (host, payload, context) => {
  const vm = findFirewall(host, payload.vm);
  if (!vm.ok) return vm;
  const rule = ruleToKeep(payload.rule);
  if (!rule.ok) return rule;
  const lines = linesOf(vm.value.firewall);
  const room = mustNotBeTooMany(lines.length + 1);
  if (!room.ok) return room;
  const at = payload.before ?? lines.length;
  if (at > lines.length) return noSuchRule(payload.vm, `${at}`);
  return changeTo(host, { vm: vm.value, rules: lines.toSpliced(at, 0, rule.value), cause: 'add' }, context);
};

const noSuchRule = (vm: VmName, what: string): Result<never, Failure> =>
  err(failure('D_NOT_FOUND', `${vm} has no rule ${what}`, { next: `domtrail firewall get ${vm}` }));

/** The number of the rule that is meant: the first of several that are the same. */
const numberOf = (lines: readonly RuleLine[], payload: RemoveRule): Result<number, Failure> => {
  if (payload.number !== null) {
    return payload.number < lines.length ? ok(payload.number) : noSuchRule(payload.vm, `${payload.number}`);
  }
  const rule = parseRule(payload.rule);
  if (!rule.ok) return rule;
  const at = lines.indexOf(lineOf(rule.value));
  return at >= 0 ? ok(at) : noSuchRule(payload.vm, JSON.stringify(lineOf(rule.value)));
};

export const decideRemoveRule: Decide<RemoveRule> = (host, payload, context) => {
  const vm = findFirewall(host, payload.vm);
  if (!vm.ok) return vm;
  const lines = linesOf(vm.value.firewall);
  const at = numberOf(lines, payload);
  if (!at.ok) return at;
  return changeTo(host, { vm: vm.value, rules: lines.toSpliced(at.value, 1), cause: 'remove' }, context);
};

/** Writes the file again and publishes again, whatever is there now: the repair of every drift of a firewall. */
export const decideReloadFirewall: Decide<FirewallTarget> = (host, payload, context) => {
  const vm = findFirewall(host, payload.vm);
  if (!vm.ok) return vm;
  const before = vm.value.firewall;
  const after = before === null ? null : { ...before, asOf: context.now };
  return planFirewall(
    host,
    vm.value,
    {
      filing: { before, after, over: 'anything' },
      fact: { type: 'FirewallReloaded', vm: payload.vm, asOf: context.now },
    },
    context,
  );
};

/**
 * Takes out what has expired by now; nothing where nothing has. A firewall.xml that somebody else changed is left to a
 * person, but it keeps no rule in force beyond its time: who reads the file sees the time too, the agent does not.
 */
export const decideExpireRule: Decide<FirewallTarget> = (host, payload, context) => {
  const vm = findFirewall(host, payload.vm);
  if (!vm.ok) return vm;
  const lines = linesOf(vm.value.firewall);
  const rules = liveLines(lines, context.now);
  return rules.length === lines.length
    ? nothingToDo(vm.value)
    : changeTo(host, { vm: vm.value, rules, cause: 'expired' }, context);
};
