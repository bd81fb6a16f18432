const number = (version: string): number => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major * 1_000_000 + minor * 1_000 + patch;
};

const BACKPORTS: readonly (readonly [from: string, below: string])[] = [
  ['3.44.6', '3.45.0'],
  ['3.50.7', '3.51.0'],
];

/**
 * SQLite 3.7.0 to 3.51.2 can lose committed transactions when two connections write and checkpoint a WAL at the same
 * moment (the WAL-reset bug; fixed in 3.51.3 and in the backports above).
 */
export const hasWalResetBug = (version: string): boolean => {
  const at = number(version);
  if (at < number('3.7.0') || at >= number('3.51.3')) return false;
  return !BACKPORTS.some(([from, below]) => at >= number(from) && at < number(below));
};
