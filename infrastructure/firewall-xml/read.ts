import type { Failure } from '../../domain/failure.ts';
import { mustFit, mustNotBeTooMany } from '../../domain/firewall/limits.ts';
import type { RuleLine } from '../../domain/firewall/rule.ts';
import { lineOf } from '../../domain/firewall/texts.ts';
import { ok, type Result } from '../../domain/result.ts';
import { type Element, refused, xmlTree } from './tree.ts';
import { rulesOfVersion1, type Version1 } from './version1.ts';
import { rulesOfVersion2 } from './version2.ts';

/** Rules by number, expired ones too. `notes` are for people: where stock reads less than a file of version 1 says. */
export type FirewallFile = { readonly rules: readonly RuleLine[]; readonly notes: readonly string[] };

const rulesIn = (root: Element): Result<Version1, Failure> => {
  const version = root.attributes.get('version') ?? '1';
  if (version === '1') return rulesOfVersion1(root);
  if (version !== '2') return refused(`its version is ${JSON.stringify(version)}`);
  const rules = rulesOfVersion2(root);
  return rules.ok ? ok({ rules: rules.value, notes: [] }) : rules;
};

/**
 * The rules in the bytes of a firewall.xml, read as stock's load() reads them, with one difference: what stock would
 * misread as letting more through than the file says is refused (D_FIREWALL_XML_UNSAFE). Other errors, each for the whole
 * file: D_FIREWALL_XML_INVALID, D_FIREWALL_RULE_INVALID, D_FIREWALL_TOO_LARGE. Never guesses, never skips a rule.
 */
export const readFirewallXml = (bytes: Uint8Array): Result<FirewallFile, Failure> => {
  const root = xmlTree(bytes);
  if (!root.ok) return root;
  const read = rulesIn(root.value);
  if (!read.ok) return read;
  const room = mustNotBeTooMany(read.value.rules.length);
  if (!room.ok) return room;
  for (const rule of read.value.rules) {
    const fits = mustFit(rule);
    if (!fits.ok) return fits;
  }
  return ok({ rules: read.value.rules.map(lineOf), notes: read.value.notes });
};
