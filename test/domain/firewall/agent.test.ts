import { describe, expect, test } from 'vitest';
import { entriesOf, keysOf } from '../../../domain/firewall/entries.ts';
import { parseRule } from '../../../domain/firewall/parse.ts';
import type { Rule } from '../../../domain/firewall/rule.ts';
import agent from '../../vectors/agent-nftables.json' with { type: 'json' };

const NOW = Date.UTC(2026, 0, 1);

/** What the real agent did with a dump of QubesDB: it went on, refused a whole address, or died. */
type Case = {
  readonly name: string;
  readonly input: { readonly entries: Readonly<Record<string, string>> };
  readonly expected: { readonly crash: unknown; readonly errors: readonly string[] };
};

const cases = agent.cases as unknown as readonly Case[];
const ROOT = '/qubes-firewall/';

const addressesIn = ({ input }: Case): readonly string[] => [
  ...new Set(
    Object.keys(input.entries).flatMap((path) =>
      path.startsWith(ROOT) ? [path.slice(ROOT.length).split('/')[0] ?? ''] : [],
    ),
  ),
];

/** A dump as the list of rules somebody could have meant with it: what is no rule at all cannot be in a list. */
const meantBy = ({ input }: Case, address: string): readonly Rule[] => {
  const rules: Rule[] = [];
  for (const [path, text] of Object.entries(input.entries)) {
    const number = /\/([0-9]{4})$/.exec(path)?.[1];
    if (number === undefined || !path.startsWith(`${ROOT}${address}/`)) continue;
    const rule = parseRule(text);
    if (rule.ok) rules[Number(number)] = rule.value;
  }
  // A number without a rule is an expired one's.
  const expired = parseRule('action=drop expire=1');
  return Array.from(rules, (rule) => rule ?? (expired.ok ? expired.value : rule));
};

const published = (one: Case, address: string): Readonly<Record<string, string>> => {
  const family = address.includes(':') ? 6 : 4;
  return Object.fromEntries(keysOf(address, entriesOf(meantBy(one, address), family, NOW)));
};

const dumped = ({ input }: Case, address: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(input.entries).filter(
      ([path]) => path === `${ROOT}${address}` || path.startsWith(`${ROOT}${address}/`),
    ),
  );

/** Whether an address's entries are those the agent stumbled over. What DNS says no text can know. */
const isRefused = (one: Case, address: string): boolean =>
  one.expected.errors.some((error) => error.includes(` ${address} `) && !error.includes('Failed to resolve')) ||
  (one.expected.crash !== null && one.expected.crash !== undefined);

/** Taken by the agent, but no rules that stock lets anybody set. */
const NEVER_SET = new Set(['policy-accept', 'duplicate-option', 'dstports-without-proto', 'dns-tcp-only']);

describe('what the real agent was seen to do', () => {
  test('the given cases are all there', () => expect(cases).toHaveLength(27));

  const all = cases.flatMap((one) => addressesIn(one).map((address) => [one.name, address, one] as const));

  test.each(all.filter(([, address, one]) => isRefused(one, address)))(
    '%s: nothing that can be set is published to %s so that it blocks or dies',
    (_name, address, one) => {
      expect(published(one, address)).not.toEqual(dumped(one, address));
    },
  );

  test.each(all.filter(([name, address, one]) => !isRefused(one, address) && !NEVER_SET.has(name)))(
    '%s: the entries of %s that it took are the ones we publish',
    (_name, address, one) => {
      expect(published(one, address)).toEqual(dumped(one, address));
    },
  );
});
