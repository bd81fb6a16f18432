import type { Failure } from '../domain/failure.ts';
import { ok, type Result } from '../domain/result.ts';
import { readInput } from '../infrastructure/cli/input-file.ts';
import { talk } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';

/** What the reader of firewall.xml takes at most. */
const LARGEST = 16 * 2 ** 20;

/** The rules in a firewall.xml of version 1 or 2. Where stock reads less than the file says, that is said. */
export const rulesOfXml = async (path: string): Promise<Result<readonly string[], Failure>> => {
  const bytes = readInput(path, LARGEST);
  if (!bytes.ok) return bytes;
  // The parser takes longer to load than most commands run.
  const { readFirewallXml } = await import('../infrastructure/firewall-xml/read.ts');
  const file = readFirewallXml(bytes.value);
  if (!file.ok) return file;
  for (const note of file.value.notes) talk(`note: ${escapeText(note)}\n`);
  return ok(file.value.rules);
};
