/** How an ordered list of names becomes another by taking names out and appending names. */
export type Relisting = { readonly out: readonly string[]; readonly append: readonly string[] };

/** Keeps as many names in their places as it can: those that stay, in the order wanted, up to the first that does not fit. */
export const relisting = (now: readonly string[], wanted: readonly string[]): Relisting => {
  const staying = now.filter((name) => wanted.includes(name));
  const misfit = staying.findIndex((name, at) => name !== wanted[at]);
  const kept = new Set(misfit < 0 ? staying : staying.slice(0, misfit));
  return { out: now.filter((name) => !kept.has(name)), append: wanted.filter((name) => !kept.has(name)) };
};
