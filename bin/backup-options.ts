import type { Failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type KeyCost, LOG_N, usualCost } from '../infrastructure/backup/seal.ts';
import { type Arguments, usage } from '../infrastructure/cli/arguments.ts';

const wholeNumber = (
  args: Arguments,
  topic: string,
  { name, usual, most }: { readonly name: string; readonly usual: number; readonly most: number },
): Result<number, Failure> => {
  const text = args.text(name);
  if (text === undefined) return ok(usual);
  const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return value <= most ? ok(value) : err(usage(`--${name} takes a whole number up to ${most}`, topic));
};

/** `--kdf-cost N`. */
export const costOf = (args: Arguments, topic: string): Result<KeyCost, Failure> => {
  const logN = wholeNumber(args, topic, { name: 'kdf-cost', usual: usualCost().logN, most: LOG_N.most });
  if (!logN.ok) return logN;
  if (logN.value < LOG_N.least) return err(usage(`--kdf-cost must be at least ${LOG_N.least}`, topic));
  return ok({ logN: logN.value });
};

/** `--stall-timeout SECONDS`, in milliseconds. */
export const stallOf = (args: Arguments, topic: string): Result<number, Failure> => {
  const stall = wholeNumber(args, topic, { name: 'stall-timeout', usual: 300, most: 100_000 });
  return stall.ok ? ok(stall.value * 1000) : stall;
};
