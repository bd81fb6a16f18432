import type { KeyChange } from '../qubesdb/key-change.ts';
import { bearable } from './bearable.ts';
import { isExpired, type Rule } from './rule.ts';
import { concerns, entryRule, type Family } from './texts.ts';

/** One rule in the QubesDB of a netvm: its number with four digits, and its text. */
export type Entry = readonly [number: string, text: string];

const DIGITS = 4;

/** The rules of a list that one address gets, each at its number in the whole list. `now` in epoch milliseconds. */
const rulesFor = (rules: readonly Rule[], family: Family, now: number): readonly (readonly [number, Rule])[] =>
  rules.flatMap((rule, number) => {
    if (isExpired(rule, now) || !concerns(rule, family)) return [];
    const taken = bearable(rule);
    return taken ? [[number, { ...taken, expire: null }] as const] : [];
  });

/** The rules an address is to have, without numbers: to compare effects. */
export const effectiveRules = (rules: readonly Rule[], family: Family, now: number): readonly Rule[] =>
  rulesFor(rules, family, now).map(([, rule]) => rule);

/**
 * What the netvm of a VM gets for one of its addresses (spec: B.6). Expired rules, those for the other family and those the
 * agent cannot take leave gaps. `now` in epoch milliseconds.
 */
export const entriesOf = (rules: readonly Rule[], family: Family, now: number): readonly Entry[] =>
  rulesFor(rules, family, now).map(([number, rule]) => [`${number}`.padStart(DIGITS, '0'), entryRule(rule, now) ?? '']);

export const sameEntries = (a: readonly Entry[], b: readonly Entry[]): boolean =>
  a.length === b.length && a.every(([number, text], at) => number === b[at]?.[0] && text === b[at]?.[1]);

const baseOf = (address: string): string => `/qubes-firewall/${address}`;

/** Everything that is to lie under an address, the trigger key included. */
export const keysOf = (address: string, entries: readonly Entry[]): ReadonlyMap<string, string> => {
  const base = baseOf(address);
  return new Map([
    [base, ''],
    [`${base}/policy`, 'drop'],
    ...entries.map(([number, text]): [string, string] => [`${base}/${number}`, text]),
  ]);
};

/**
 * The requests that bring an address to these entries, in the order in which stock makes them (spec: B.7). Whatever prefix of
 * them an agent reads is either nothing, which blocks, or a prefix of the new list that ends in drop. The trigger comes last:
 * only it makes the agent read. `wake` false leaves it out, for a list that does the same as the one before.
 */
export const publication = (address: string, entries: readonly Entry[], wake: boolean): readonly KeyChange[] => {
  const base = baseOf(address);
  return [
    { remove: `${base}/` },
    { write: `${base}/policy`, value: 'drop' },
    ...entries.map(([number, text]) => ({ write: `${base}/${number}`, value: text })),
    ...(wake ? [{ write: base, value: '' }] : []),
  ];
};
