import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { mustFit, mustNotBeTooMany } from '../../../domain/firewall/limits.ts';
import { parseRule } from '../../../domain/firewall/parse.ts';
import type { Rule } from '../../../domain/firewall/rule.ts';
import { apiRule, entryRule, lineOf, sameEffect } from '../../../domain/firewall/texts.ts';
import vectors from '../../vectors/firewall-rules.json' with { type: 'json' };
import { anyRule, hostileText } from './any-rule.ts';

const NOW = Date.UTC(2026, 0, 1);

type Expected = { readonly ok?: { readonly api_rule: string | null; readonly rule: string | null } };

/** Stock reads digits of other scripts, which only its own console can give it; here a number is ASCII. */
const NOT_ASCII_DIGITS = 'action=accept proto=tcp dstports=٨٠';

const parsed = (line: string): Rule => {
  const rule = parseRule(line);
  if (!rule.ok) throw new Error(rule.error.message);
  return rule.value;
};

describe('a rule line is read as stock reads it', () => {
  for (const { input, expected } of vectors.cases as readonly { input: string; expected: Expected }[]) {
    const fine = expected.ok;
    if (fine && input !== NOT_ASCII_DIGITS) {
      test(`${JSON.stringify(input).slice(0, 120)} is ${fine.api_rule?.slice(0, 80) ?? 'expired'}`, () => {
        const rule = parsed(input);
        expect({ api_rule: apiRule(rule, NOW), rule: entryRule(rule, NOW) }).toEqual({
          api_rule: fine.api_rule,
          rule: fine.rule,
        });
      });
    } else {
      test(`${JSON.stringify(input)} is refused`, () => {
        const rule = parseRule(input);
        expect(rule.ok ? lineOf(rule.value) : rule.error.code).toBe('D_FIREWALL_RULE_INVALID');
      });
    }
  }

  test('the given cases are all there', () => expect(vectors.cases).toHaveLength(147));
});

describe('a refusal names the option and its value', () => {
  it.each([
    ['action=reject', 'action="reject": must be accept or drop'],
    ['action=accept proto=tcp dstports=90-80', 'dstports="90-80": the range ends before it begins'],
    ['action=accept dst4=1.2.3.4/33', 'dsthost="1.2.3.4/33": an IPv4 prefix is at most 32 long'],
    ['action=accept dst4=1.1.1.1 dst6=::1', 'dst6="::1": is given twice'],
    ['action=accept dpi=HTTP', 'dpi="HTTP": there is no such option'],
    ['action=accept  proto=tcp', '"": options stand one blank apart'],
    ['proto=tcp', 'action is missing: action=accept or action=drop'],
    ['action=accept icmptype=8', 'icmptype="8": needs proto=icmp'],
    ['action=accept comment=a"b', 'comment="a\\"b": may hold letters, digits, blanks and :;,./-_[] only'],
  ])('%s: %s', (line, message) => {
    expect(parseRule(line)).toEqual({ ok: false, error: { code: 'D_FIREWALL_RULE_INVALID', message } });
  });
});

describe('numbers and blanks as in stock', () => {
  it.each([
    ['action=accept proto=tcp dstports=\t80 ', 'action=accept proto=tcp dstports=80-80'],
    ['\taction=accept\r', 'action=accept'],
    ['action=accept proto=udp dstports=0_1-+0_2', 'action=accept proto=udp dstports=1-2'],
    ['action=accept expire=0253402300799', 'action=accept expire=0253402300799'],
    ['action=accept dsthost=::', 'action=accept dst6=::/128'],
    ['action=accept dsthost=1:2:3:4:5:6:7::', 'action=accept dst6=1:2:3:4:5:6:7::/128'],
    ['action=accept dsthost=1:2:3:4:5:6:1.2.3.4', 'action=accept dst6=1:2:3:4:5:6:1.2.3.4/128'],
    ['action=accept dsthost=01.2.3.4', 'action=accept dsthost=01.2.3.4'],
  ])('%j is %s', (line, normal) => expect(lineOf(parsed(line))).toBe(normal));

  it.each([
    'action=accept proto=tcp dstports=8__0',
    'action=accept proto=tcp dstports=80_',
    'action=accept expire=253402300800',
    'action=accept dsthost=1:2:3:4:5:6:7:8::',
    'action=accept dsthost=::1::',
    'action=accept dsthost=:1:2:3:4:5:6:7',
    'action=accept dsthost=::1.2.3.04',
    'action=accept dsthost=1.2.3.4::',
    'action=accept dsthost=12345::',
    'action=accept constructor=1',
    'action=accept __proto__=1',
  ])('%s is refused', (line) => expect(parseRule(line).ok).toBe(false));

  it('a rule expires when its second is earlier than now, not in that very moment', () => {
    const rule = parsed('action=accept expire=1000');
    expect([apiRule(rule, 999_999), apiRule(rule, 1_000_000)]).toEqual([lineOf(rule), lineOf(rule)]);
    expect(apiRule(rule, 1_000_001)).toBeNull();
  });
});

describe('limits', () => {
  it('a rule that QubesDB cannot hold is too large, one byte less is not', () => {
    const long = (length: number): Rule => parsed(`action=accept dsthost=${'a'.repeat(length)} comment=ignored`);
    const room = 3071 - 'action=accept dsthost='.length;
    expect(mustFit(long(room)).ok).toBe(true);
    expect(mustFit(long(room + 1))).toMatchObject({ error: { code: 'D_FIREWALL_TOO_LARGE' } });
  });

  it('ten thousand rules are the most', () => {
    expect([mustNotBeTooMany(10_000).ok, mustNotBeTooMany(10_001).ok]).toEqual([true, false]);
  });

  it('a line of blanks costs no more than another: a hundred are read in one test', () => {
    for (let n = 0; n < 100; n++) expect(parseRule(`action=accept${' '.repeat(65_000)}x`).ok).toBe(false);
    expect(parseRule(`action=accept${' '.repeat(65_536)}`).ok).toBe(false);
  });
});

describe('for every rule', () => {
  test('the normal form reads back as the same rule', () => {
    fc.assert(
      fc.property(anyRule, (rule) => {
        expect(parseRule(lineOf(rule))).toEqual({ ok: true, value: rule });
      }),
    );
  });

  test('the QubesDB text is elements of one name and one value each, without comment and expiry', () => {
    fc.assert(
      fc.property(anyRule, (rule) => {
        const text = entryRule({ ...rule, expire: null }, NOW) ?? '';
        for (const element of text.split(' ')) {
          expect(element).toMatch(/^(action|dst4|dst6|dsthost|proto|specialtarget|dstports|icmptype)=[^= ]*$/);
        }
      }),
    );
  });

  test('whatever is written in a line, what comes out is one line of safe characters, or a refusal', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (value, comment) => {
        for (const line of [
          `action=accept dsthost=${value}`,
          `action=${value}`,
          `action=drop comment=${comment}`,
          value,
        ]) {
          const rule = parseRule(line);
          if (rule.ok) expect(lineOf(rule.value)).toMatch(/^[A-Za-z0-9:;,./_[\]= -]+$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('two lists have the same effect', () => {
  const rules = (...lines: readonly string[]): readonly Rule[] => lines.map(parsed);
  it.each([
    ['a comment', ['action=accept comment=a'], ['action=accept']],
    ['an expiry to come', ['action=accept expire=4102444800'], ['action=accept']],
    ['an expired rule', ['action=drop expire=1', 'action=accept'], ['action=accept']],
    ['host bits', ['action=accept dst4=10.1.2.3/8'], ['action=accept dst4=10.0.0.0/08']],
    ['a rule for the other family', ['action=drop dst6=::/0', 'action=accept'], ['action=accept']],
  ])('when %s is all that differs', (_what, a, b) => {
    expect(sameEffect(rules(...a), rules(...b), 4, NOW)).toBe(true);
  });

  it('spellings of one IPv6 network are one', () => {
    const [a, b] = ['action=drop dst6=2001:DB8::1:0/112', 'action=drop dst6=2001:db8:0:0::1:2/112'];
    expect(sameEffect(rules(a), rules(b), 6, NOW)).toBe(true);
  });

  it.each([
    ['the order', ['action=accept', 'action=drop'], ['action=drop', 'action=accept']],
    ['a network', ['action=accept dst4=10.0.0.0/8'], ['action=accept dst4=10.0.0.0/9']],
    ['a port', ['action=accept proto=tcp dstports=80'], ['action=accept proto=tcp dstports=81']],
    ['a missing rule', ['action=accept', 'action=drop'], ['action=accept']],
    ['a name', ['action=accept dsthost=a'], ['action=accept dsthost=b']],
  ])('but not when %s differs', (_what, a, b) => {
    expect(sameEffect(rules(...a), rules(...b), 4, NOW)).toBe(false);
  });
});
