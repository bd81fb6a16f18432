/** What a name is the name of; each kind counts for itself. */
export type Kind =
  | 'vm'
  | 'volume'
  | 'pool'
  | 'vg'
  | 'thin'
  | 'label'
  | 'tag'
  | 'feature'
  | 'path'
  | 'storage'
  | 'text'
  | 'host'
  | 'user'
  | 'command'
  | 'disk'
  | 'boot'
  | 'backup'
  | 'hash'
  | 'mac'
  | 'layout'
  | `net${number}`
  | `net6-${number}`;

/**
 * Numbers for names. A log is gone through twice: while names are collected every number is 0, then they are counted in the
 * order of the names, because deciders sort by them. So the same log gives the same pseudonyms.
 */
export type Pseudonyms = {
  /** the number of a name among those of its kind, from 1, and how many digits the largest has */
  readonly number: (kind: Kind, name: string) => { readonly n: number; readonly digits: number };
  readonly count: () => void;
};

export const pseudonyms = (): Pseudonyms => {
  const seen = new Map<Kind, Set<string>>();
  let counted: ReadonlyMap<Kind, ReadonlyMap<string, number>> | null = null;
  const collect = (kind: Kind, name: string): void => {
    const names = seen.get(kind) ?? new Set();
    names.add(name);
    seen.set(kind, names);
  };
  return {
    number: (kind, name) => {
      if (!counted) {
        collect(kind, name);
        return { n: 0, digits: 1 };
      }
      const numbers = counted.get(kind);
      const n = numbers?.get(name);
      if (n === undefined) throw new Error(`a name of kind ${kind} was not there when names were collected`);
      return { n, digits: `${numbers?.size ?? 0}`.length };
    },
    count: () => {
      const numbersOf = (names: ReadonlySet<string>): ReadonlyMap<string, number> =>
        new Map([...names].sort().map((name, index) => [name, index + 1]));
      counted = new Map([...seen].map(([kind, names]) => [kind, numbersOf(names)]));
    },
  };
};

/** `vm-07`: all of a kind are equally long, so that none is the beginning of another. */
export const numbered = (names: Pseudonyms, kind: Kind, name: string, prefix: string): string => {
  const { n, digits } = names.number(kind, name);
  return `${prefix}${`${n}`.padStart(digits, '0')}`;
};
