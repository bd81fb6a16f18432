import { addressBits } from './ip-address.ts';
import { isExpired, type Rule, type RuleLine } from './rule.ts';

const option = (name: string, value: string | number | null): string => (value === null ? '' : ` ${name}=${value}`);

const portsOf = ({ ports }: Rule): string | null => (ports ? `${ports.from}-${ports.to}` : null);

/** In the order both texts share; the QubesDB text has no `expire` and no comment (spec: B.5, B.6). */
const options = (rule: Rule, expire: string | null): string =>
  `action=${rule.action}` +
  option('expire', expire) +
  (rule.destination ? option(rule.destination.kind, rule.destination.text) : '') +
  option('proto', rule.proto) +
  option('specialtarget', rule.special) +
  option('dstports', portsOf(rule)) +
  option('icmptype', rule.icmpType);

/** The rule in normal form, expired or not. */
export const lineOf = (rule: Rule): RuleLine =>
  (options(rule, rule.expire) + option('comment', rule.comment)) as RuleLine;

/** The line that admin.vm.firewall.Get gives; null for an expired rule, which it leaves out. `now` in epoch milliseconds. */
export const apiRule = (rule: Rule, now: number): RuleLine | null => (isExpired(rule, now) ? null : lineOf(rule));

/** The text under a rule's number in QubesDB; null for an expired rule. `now` in epoch milliseconds. */
export const entryRule = (rule: Rule, now: number): string | null =>
  isExpired(rule, now) ? null : options(rule, null);

export type Family = 4 | 6;

/** Rules for a literal address of the other family say nothing about this one; names and no destination go to both. */
export const concerns = ({ destination }: Rule, family: Family): boolean =>
  destination?.kind !== (family === 4 ? 'dst6' : 'dst4');

/** A network by the bits that count: 192.168.1.77/24 is 192.168.1.0/24, and ::1 is 0:0::1. */
const network = (text: string): string => {
  const [address = '', prefix = ''] = text.split('/');
  return addressBits(address).slice(0, Number(prefix));
};

const effectOf = (rule: Rule, now: number): string | null => {
  const text = entryRule(rule, now);
  const { destination } = rule;
  if (text === null || !destination || destination.kind === 'dsthost') return text;
  return text.replace(`=${destination.text}`, `=bits:${network(destination.text)}`);
};

/**
 * Whether two lists do the same to every packet of a family, as far as their texts tell: comments, expiry, numbers, rules
 * for the other family and the spelling of a network make no difference. Two lists it calls different may still do the
 * same; two it calls the same never differ. `now` in epoch milliseconds.
 */
export const sameEffect = (a: readonly Rule[], b: readonly Rule[], family: Family, now: number): boolean => {
  const effects = (rules: readonly Rule[]): readonly string[] =>
    rules.filter((rule) => concerns(rule, family)).flatMap((rule) => effectOf(rule, now) ?? []);
  const [left, right] = [effects(a), effects(b)];
  return left.length === right.length && left.every((text, at) => text === right[at]);
};
