import type { Failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Compared } from '../infrastructure/checkpoint/compare.ts';
import { type Arguments, usage } from '../infrastructure/cli/arguments.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';

/** Forty thousand checkpoints; two a day for half a century. */
const LARGEST = 16 * 2 ** 20;

/**
 * What `--against FILE` holds against a ledger; null when it was not given. Errors: D_USAGE, and those of files that cannot
 * be read. The modules are loaded only then.
 */
export const keptCheckpoints = async (
  args: Arguments,
): Promise<Result<((ledger: Ledger) => Compared) | null, Failure>> => {
  const file = args.text('against');
  const keyFile = args.text('public-key');
  if (file === undefined) {
    return keyFile === undefined ? ok(null) : err(usage('--public-key goes with --against FILE', 'verify'));
  }
  const { readInput } = await import('../infrastructure/cli/input-file.ts');
  const { parseCheckpoints, publicKeyText } = await import('../infrastructure/checkpoint/checkpoint.ts');
  const { compareCheckpoints } = await import('../infrastructure/checkpoint/compare.ts');
  const { readPublicKey } = await import('../infrastructure/checkpoint/key-file.ts');
  const bytes = readInput(file, LARGEST);
  if (!bytes.ok) return bytes;
  const kept = parseCheckpoints(bytes.value.toString('utf8'));
  if (!kept.ok) return kept;
  const key = keyFile === undefined ? ok(null) : readPublicKey(keyFile);
  if (!key.ok) return key;
  const expected = key.value ? publicKeyText(key.value) : null;
  return ok((ledger) => compareCheckpoints(ledger, kept.value, expected));
};
