import { parseRule } from '../../domain/firewall/parse.ts';
import type { Rule, RuleLine } from '../../domain/firewall/rule.ts';

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const property = (name: string, value: string | number | null | undefined): string =>
  value === null || value === undefined ? '' : `        <property name="${name}">${escapeXml(`${value}`)}</property>\n`;

const portsText = ({ ports }: Rule): string | null =>
  ports && (ports.from === ports.to ? `${ports.from}` : `${ports.from}-${ports.to}`);

/** The properties in the order in which stock writes them (spec: qubes-xml-firewall-qubesdb B.2). */
const element = (rule: Rule): string =>
  [
    '    <rule>\n      <properties>\n',
    property('action', rule.action),
    property('comment', rule.comment),
    property('expire', rule.expire),
    property('dsthost', rule.destination?.text),
    property('proto', rule.proto),
    property('specialtarget', rule.special),
    property('dstports', portsText(rule)),
    property('icmptype', rule.icmpType),
    '      </properties>\n    </rule>\n',
  ].join('');

const ruleOf = (line: RuleLine): Rule => {
  const rule = parseRule(line);
  if (!rule.ok) throw new Error(`a rule that cannot be was about to be written: ${rule.error.message}`);
  return rule.value;
};

/** firewall.xml version 2, byte for byte as stock's save() writes these rules. Which of them have expired is the caller's matter. */
export const firewallXml = (lines: readonly RuleLine[]): string => {
  const rules = lines.map((line) => element(ruleOf(line))).join('');
  const inside = rules === '' ? '  <rules/>\n' : `  <rules>\n${rules}  </rules>\n`;
  return `<firewall version="2">\n${inside}</firewall>\n`;
};
