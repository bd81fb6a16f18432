import type { VolumeKey } from '../names.ts';

type NamedLv = { readonly id: string; readonly name: string };

/**
 * What LVM's own archive says of one command: testimony, not our act and not proof. `time`: epoch seconds by the host's
 * clock then. `seqno`: that of the volume group before it. Names are `VG/LV`, ids LV UUIDs. `volumes`: those of the log
 * that the names stand for.
 */
export type LvmTestimony = {
  readonly group: string;
  readonly seqno: number;
  readonly time: number;
  readonly host: string;
  readonly commandLine: string;
  readonly made: readonly NamedLv[];
  readonly gone: readonly NamedLv[];
  readonly renamed: readonly { readonly id: string; readonly was: string; readonly now: string }[];
  readonly volumes: readonly VolumeKey[];
};

/** In the stream of a pool of that volume group. */
export type TestimonyFact = { readonly type: 'LvmTestified'; readonly pool: string } & LvmTestimony;

/** The LVs it speaks of, by whatever name. */
export const lvNamesIn = ({ made, gone, renamed }: LvmTestimony): readonly string[] => [
  ...new Set([
    ...made.map(({ name }) => name),
    ...gone.map(({ name }) => name),
    ...renamed.flatMap(({ was, now }) => [was, now]),
  ]),
];

export const lvIdsIn = ({ made, gone, renamed }: LvmTestimony): readonly string[] => [
  ...new Set([...made, ...gone, ...renamed].map(({ id }) => id)),
];

const MOST_NAMED = 3;

const some = (verb: string, what: readonly string[]): readonly string[] => {
  if (what.length === 0) return [];
  const more = what.length > MOST_NAMED ? ` and ${what.length - MOST_NAMED} more` : '';
  return [`${verb} ${what.slice(0, MOST_NAMED).join(', ')}${more}`];
};

/** What it did, in words; '' where nothing is known of that. */
export const deedsIn = ({ made, gone, renamed }: Pick<LvmTestimony, 'made' | 'gone' | 'renamed'>): string =>
  [
    ...some(
      'made',
      made.map(({ name }) => name),
    ),
    ...some(
      'renamed',
      renamed.map(({ was, now }) => `${was} to ${now.slice(now.indexOf('/') + 1)}`),
    ),
    ...some(
      'removed',
      gone.map(({ name }) => name),
    ),
  ].join(', ');

export const wordsOfTestimony = (fact: LvmTestimony): string => {
  const when = new Date(fact.time * 1000).toISOString().replace('.000Z', 'Z');
  const deeds = deedsIn(fact);
  return `LVM's archive says: ${when} ${deeds === '' ? '' : `${deeds}: `}${fact.commandLine}`;
};
