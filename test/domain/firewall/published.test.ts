import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entriesOf, publication } from '../../../domain/firewall/entries.ts';
import { parseRule } from '../../../domain/firewall/parse.ts';
import type { Rule } from '../../../domain/firewall/rule.ts';
import { concerns, type Family } from '../../../domain/firewall/texts.ts';
import { isPath, isValue, type KeyChange } from '../../../domain/qubesdb/key-change.ts';
import { anyRule } from './any-rule.ts';

const NOW = Date.UTC(2026, 0, 1);
const BASE = '/qubes-firewall/10.137.0.5';
const rules = fc.array(anyRule, { maxLength: 12 });
const families = fc.constantFrom<Family>(4, 6);
const times = fc.constantFrom(0, NOW, Date.UTC(2101, 0, 1));

/** A packet as far as rules tell packets apart: which of them match it, each by its text. */
type Packet = ReadonlySet<string>;
type Verdict = 'accept' | 'drop';

/** What the agent makes of the keys of an address: first match in the order of numbers, then the policy (spec: D). */
const verdict = (keys: ReadonlyMap<string, string>, packet: Packet): Verdict => {
  // Without a policy the agent blocks the address.
  if (!keys.has(`${BASE}/policy`)) return 'drop';
  const numbered = [...keys].filter(([path]) => /\/[0-9]{4}$/.test(path)).sort(([a], [b]) => (a < b ? -1 : 1));
  const first = numbered.find(([, text]) => packet.has(withoutAction(text)));
  const action = first?.[1] ?? `action=${keys.get(`${BASE}/policy`)}`;
  return action.startsWith('action=accept') ? 'accept' : 'drop';
};

const withoutAction = (text: string): string => text.replace(/^action=(?:accept|drop) ?/, '');

const applied = (keys: Map<string, string>, change: KeyChange): void => {
  if ('remove' in change)
    for (const path of Array.from(keys.keys())) if (path.startsWith(change.remove)) keys.delete(path);
  if ('write' in change) keys.set(change.write, typeof change.value === 'string' ? change.value : '');
};

const stateAfter = (
  changes: readonly KeyChange[],
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> => {
  const keys = new Map(before);
  for (const change of changes) applied(keys, change);
  return keys;
};

const changesFor = (list: readonly Rule[], family: Family, now: number): readonly KeyChange[] =>
  publication(BASE.slice('/qubes-firewall/'.length), entriesOf(list, family, now), true);

describe('on the way from one list of rules to another', () => {
  test('an agent that reads after any request lets no packet through that neither list lets through', () => {
    const packets = fc.func(fc.boolean());
    fc.assert(
      fc.property(rules, rules, families, packets, (old, next, family, matches) => {
        const changes = changesFor(next, family, NOW);
        const before = stateAfter(changesFor(old, family, NOW), new Map());
        const texts = [...before.values(), ...changes.flatMap((one) => ('write' in one ? [one.value as string] : []))];
        const packet = new Set(texts.map(withoutAction).filter((text) => text === '' || matches(text)));
        const allowed = new Set([verdict(before, packet), verdict(stateAfter(changes, before), packet)]);
        for (let made = 0; made <= changes.length; made++) {
          const seen = verdict(stateAfter(changes.slice(0, made), before), packet);
          if (seen === 'accept') expect(allowed).toContain('accept');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('only the last request wakes the agent', () => {
    fc.assert(
      fc.property(rules, families, (list, family) => {
        const wakes = changesFor(list, family, NOW).map((one) => {
          const path = 'remove' in one ? one.remove : one.write;
          return path.split('/').length === 3;
        });
        expect(wakes).toEqual(wakes.map((_one, at) => at === wakes.length - 1));
      }),
    );
  });
});

/** What makes an agent block the address or crash (spec: D). */
const isBearableText = (text: string, family: Family): boolean => {
  const options = text.split(' ').map((option) => option.split('='));
  if (options.some((parts) => parts.length !== 2 || parts.includes(''))) return false;
  const names = options.map(([name]) => name ?? '');
  const known = ['action', `dst${family}`, 'dsthost', 'proto', 'specialtarget', 'dstports', 'icmptype'];
  return names[0] === 'action' && names.every((name) => known.includes(name)) && new Set(names).size === names.length;
};

describe('whatever rules there are', () => {
  test('an address only gets entries that the agent and QubesDB can take', () => {
    fc.assert(
      fc.property(rules, families, times, (list, family, now) => {
        for (const change of changesFor(list, family, now)) {
          expect(isPath('remove' in change ? change.remove : change.write)).toBe(true);
          if ('remove' in change || typeof change.value !== 'string') continue;
          expect(isValue(change.value)).toBe(true);
          if (/\/[0-9]+$/.test(change.write) && change.write !== BASE) {
            expect(change.write).toMatch(/\/[0-9]{4}$/);
            expect(change.value, change.value).toSatisfy((text: string) => isBearableText(text, family));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('an entry reads back as the rule it came from, but for what an agent must not see', () => {
    fc.assert(
      fc.property(anyRule, families, (rule, family) => {
        const [entry] = entriesOf([rule], family, 0);
        if (!entry) {
          expect(concerns(rule, family) && rule.action === 'drop').toBe(false);
          return;
        }
        const back = parseRule(entry[1]);
        expect(back.ok && back.value.action).toBe(rule.action);
        // What drops may drop more than it said; what accepts accepts exactly what it said.
        if (back.ok && rule.action === 'accept') {
          expect(back.value).toMatchObject({ proto: rule.proto, ports: rule.ports, special: rule.special });
          expect(back.value.destination?.kind).toBe(rule.destination?.kind);
        }
      }),
      { numRuns: 500 },
    );
  });
});
