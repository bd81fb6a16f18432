import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { lineOf } from '../../domain/firewall/texts.ts';
import { readFirewallXml } from '../../infrastructure/firewall-xml/read.ts';
import { firewallXml } from '../../infrastructure/firewall-xml/write.ts';
import { anyRule, hostileText } from '../domain/firewall/any-rule.ts';

const read = (text: string) => readFirewallXml(Buffer.from(text));
const codeOf = (text: string): string => {
  const file = read(text);
  return file.ok ? JSON.stringify(file.value.rules) : file.error.code;
};

const v2 = (inside: string): string => `<firewall version="2"><rules>${inside}</rules></firewall>`;
const rule = (properties: string): string => v2(`<rule><properties>${properties}</properties></rule>`);
const accept = '<property name="action">accept</property>';
const host = (value: string): string => rule(`${accept}<property name="dsthost">${value}</property>`);

describe('no misreading ever opens a rule', () => {
  it.each([
    ['a comment in an address, of which stock reads the beginning', host('10.0.0.0/2<!-- -->4')],
    ['an element in an address', host('10.0.0.0/2<b/>4')],
    ['a processing instruction in an address', host('10.0.0.0/2<?x?>4')],
    ['an empty comment alone, which stock reads as nothing', host('<!-- -->')],
    ['a version 1 comment under policy deny', '<Q policy="deny"><!-- rule --></Q>'],
    ['a version 1 processing instruction', '<Q policy="deny"><?rule address="1.2.3.4"?></Q>'],
    ['the same under policy allow', '<Q policy="allow"><?rule address="1.2.3.4"?></Q>'],
    ['a version 1 rule that drops all by netmask 0', '<Q policy="allow"><rule address="0.0.0.0" netmask="0"/></Q>'],
    ['the same for IPv6', '<Q policy="allow"><rule address="::" netmask="0"/></Q>'],
    ['a version 1 rule that accepts one IPv6 address', '<Q policy="deny"><rule address="2001:db8::1"/></Q>'],
  ])('%s is refused as unsafe', (_what, text) => expect(codeOf(text)).toBe('D_FIREWALL_XML_UNSAFE'));

  it.each([
    ['a comment under policy allow, read as drop everything', '<Q policy="allow"><!-- c --></Q>', 'action=drop'],
    [
      'an IPv6 address dropped with its neighbours',
      '<Q policy="allow"><rule address="2001:db8::1"/></Q>',
      'action=drop dst6=2001:db8::1/32',
    ],
    [
      'netmask 0 read as one address that is accepted',
      '<Q policy="deny"><rule address="0.0.0.0" netmask="0"/></Q>',
      'action=accept dst4=0.0.0.0/32',
    ],
  ])('what only closes is read as stock reads it, and said: %s', (_what, text, third) => {
    const file = read(text);
    if (!file.ok) throw new Error(file.error.message);
    expect(file.value.rules[2]).toBe(third);
    expect(file.value.notes).toHaveLength(1);
  });
});

describe('a file that is not plain XML is refused as a whole', () => {
  it.each([
    ['a DOCTYPE', `<!DOCTYPE firewall>${rule(accept)}`],
    ['an entity', `<!DOCTYPE f [<!ENTITY a "accept">]>${rule('<property name="action">&a;</property>')}`],
    ['an entity without a DOCTYPE', rule('<property name="action">&accept;</property>')],
    ['a bare ampersand in an attribute', rule('<property name="action" ref="drop&">accept</property>')],
    ['an attribute given twice', '<firewall version="3" version="2"><rules/></firewall>'],
    ['an attribute without quotes', '<firewall version=2><rules/></firewall>'],
    ['an element that does not end', '<firewall version="2"><rules><rule></rules></firewall>'],
    ['elements that overlap', '<firewall version="2"><rules></firewall></rules>'],
    ['two roots', '<firewall version="2"><rules/></firewall><firewall version="2"><rules/></firewall>'],
    ['text after the root', '<firewall version="2"><rules/></firewall>x'],
    ['text before the root', 'x<firewall version="2"><rules/></firewall>'],
    ['a file cut off', rule(accept).slice(0, -12)],
    ['an end tag that is written like a rule, and would be lost', '<Q policy="allow"></rule address="1.2.3.4"/></Q>'],
    ['a lone ampersand at the end', '<firewall version="2"><rules/></firewall>&'],
    ['a first line that is no declaration', `<?xml v="1.0"?>${rule(accept)}`],
    ['nothing', ''],
    ['blanks', ' \n'],
    ['a default namespace', '<firewall xmlns="urn:x" version="2"><rules/></firewall>'],
    ['a namespace', '<x:firewall xmlns:x="urn:x" version="2"><rules/></x:firewall>'],
    ['another encoding', `<?xml version="1.0" encoding="latin1"?>${rule(accept)}`],
    ['a character that XML cannot hold', rule(`${accept}<property name="comment">a&#0;b</property>`)],
    ['a property without a name', rule(`${accept}<property>tcp</property>`)],
    ['an empty host', host('')],
  ])('%s', (_what, text) => expect(codeOf(text)).toBe('D_FIREWALL_XML_INVALID'));

  it('bytes that are not UTF-8', () => {
    expect(readFirewallXml(Buffer.from('<firewall version="2"><rules/>\xff</firewall>', 'latin1'))).toMatchObject({
      error: { code: 'D_FIREWALL_XML_INVALID' },
    });
    expect(readFirewallXml(Buffer.from(rule(accept), 'utf16le')).ok).toBe(false);
  });

  it('more bytes than any firewall has', () => {
    expect(readFirewallXml(Buffer.alloc(16 * 2 ** 20 + 1, ' ')).ok).toBe(false);
  });
});

describe('XML that means the same is read as the same', () => {
  it.each([
    ['CDATA', rule('<property name="action"><![CDATA[accept]]></property>')],
    ['characters by number', rule('<property name="action">&#97;&#x63;cept</property>')],
    ['single quotes and blanks', rule("<property  name = 'action' >accept</property >")],
    ['a byte order mark', `\ufeff${rule(accept)}`],
    ['comments between elements', `<!-- a -->${rule(`<!-- b -->${accept}`)}<!-- c -->`],
    ['an empty ref, which does not count', rule('<property name="action" ref="">accept</property>')],
    ['two lists of properties', v2(`<rule><properties/><properties>${accept}</properties></rule>`)],
    [
      'a second list of rules, which is not read',
      rule(accept).replace('</firewall>', '<rules><x/></rules></firewall>'),
    ],
  ])('%s', (_what, text) => expect(codeOf(text)).toBe('["action=accept"]'));
});

describe('for every list of rules', () => {
  test('what is written reads back as the same rules', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 8 }), (rules) => {
        const lines = rules.map(lineOf);
        expect(read(firewallXml(lines))).toEqual({ ok: true, value: { rules: lines, notes: [] } });
      }),
    );
  });

  test('a document cut, doubled or spoiled anywhere is refused or gives no rule that was not in it', () => {
    fc.assert(
      fc.property(
        fc.array(anyRule, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        fc.nat(40),
        hostileText,
        (rules, at, cut, put) => {
          const lines = rules.map(lineOf);
          const text = firewallXml(lines);
          const from = at % text.length;
          const spoiled = read(`${text.slice(0, from)}${put}${text.slice(from + cut)}`);
          if (!spoiled.ok) return;
          // A rule may lose or change a value where its own text was changed, but nothing else turns into a rule.
          expect(spoiled.value.rules.length).toBeLessThanOrEqual(lines.length + put.split('<rule>').length - 1);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
