import { describe, expect, test } from 'vitest';
import { liveLines } from '../../domain/firewall/firewall.ts';
import { parseRule } from '../../domain/firewall/parse.ts';
import { linesOfPayload } from '../../domain/firewall/payload.ts';
import { lineOf } from '../../domain/firewall/texts.ts';
import { readFirewallXml } from '../../infrastructure/firewall-xml/read.ts';
import { firewallXml } from '../../infrastructure/firewall-xml/write.ts';
import set from '../vectors/firewall-set.json' with { type: 'json' };
import vectors from '../vectors/firewall-xml.json' with { type: 'json' };

const NOW = Date.UTC(2026, 0, 1);

type Expected = { readonly get?: string; readonly saved?: string; readonly error?: object };
type Case = { readonly name: string; readonly input: string | null; readonly expected: Expected };
const CASES = vectors.cases as readonly Case[];

/** Stock accepts these and lets more through than they say. */
const DANGEROUS: Readonly<Record<string, string>> = {
  'v1-xml-comment': 'a comment is read as a rule that matches everything',
  'v1-ip6-address': '2001:db8::1 without a netmask is read as 2001:db8::1/32',
};

const get = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

describe('firewall.xml is read as stock reads it, and written as stock writes it', () => {
  for (const { name, input, expected } of CASES) {
    if (input === null) continue;
    const danger = DANGEROUS[name];
    if (danger !== undefined) {
      test(`${name} is refused, though stock takes it: ${danger}`, () => {
        const read = readFirewallXml(Buffer.from(input));
        expect(read).toMatchObject({ ok: false, error: { code: 'D_FIREWALL_XML_UNSAFE' } });
        expect(read.ok ? '' : read.error.message).toContain(danger);
      });
    } else if (expected.error) {
      test(`${name} is refused as a whole`, () => {
        const read = readFirewallXml(Buffer.from(input));
        expect(read.ok ? read.value : read.error.code).toMatch(/^D_FIREWALL_(XML|RULE)_INVALID$/);
      });
    } else {
      test(`${name}`, () => {
        const read = readFirewallXml(Buffer.from(input));
        if (!read.ok) throw new Error(read.error.message);
        const live = liveLines(read.value.rules, NOW);
        expect({ get: get(live), saved: firewallXml(live) }).toEqual({ get: expected.get, saved: expected.saved });
      });
    }
  }

  test('the given cases are all there', () => {
    expect(CASES).toHaveLength(49);
    expect(Object.keys(DANGEROUS).every((name) => CASES.some((one) => one.name === name))).toBe(true);
  });
});

describe('a list for admin.vm.firewall.Set is taken as stock takes it', () => {
  for (const { input, expected } of set.cases as readonly { input: string; expected: Expected }[]) {
    test(`${JSON.stringify(input)}${expected.error ? ' is refused' : ''}`, () => {
      const lines = linesOfPayload(input);
      const rules = lines.ok ? lines.value.map(parseRule) : [];
      const refused = !lines.ok || rules.some((rule) => !rule.ok);
      expect(refused).toBe(expected.error !== undefined);
      if (refused) return;
      const live = liveLines(
        rules.flatMap((rule) => (rule.ok ? [lineOf(rule.value)] : [])),
        NOW,
      );
      expect({ get: get(live), saved: firewallXml(live) }).toEqual({ get: expected.get, saved: expected.saved });
    });
  }

  test('every line end of Python counts, and the unit separator is none', () => {
    expect(linesOfPayload('a\r\nb\rc\vd\fe\u001cf\u001dg\u001eh\u001fi\n')).toEqual({
      ok: true,
      value: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h\u001fi'],
    });
  });
});
