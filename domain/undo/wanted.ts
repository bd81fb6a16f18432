import type { Host } from '../host/host.ts';
import type { PoolName, VmName } from '../names.ts';
import type { Pool } from '../pool/pool.ts';
import type { Vm } from '../vm/vm.ts';
import type { Contents } from './content.ts';

/**
 * What an earlier state had that the present one has not, or has otherwise: all that a decision to go back gets to see of
 * the past. null: there was no such thing then. What is not listed is as it was.
 */
export type Wanted = {
  readonly site: Host['site'];
  readonly pools: readonly { readonly pool: PoolName; readonly definition: Pool | null }[];
  readonly vms: readonly { readonly vm: VmName; readonly past: Vm | null }[];
  readonly contents: Contents;
  /** what the operation to take out had changed and others changed again, and the commands of those */
  readonly touched?: readonly TouchedBy[];
};

export type TouchedBy = {
  readonly object: string;
  readonly aspect: string;
  readonly by: readonly { readonly command: string; readonly name: string }[];
};

/**
 * The same as text, which keeps the order of names inside objects (it is that of setting, and qubes.xml shows it): the
 * command log sorts what it stores as values.
 */
export type WantedText = string & { readonly brand: 'WantedText' };

export const writeWanted = (wanted: Wanted): WantedText => JSON.stringify(wanted) as WantedText;

/** Only for what `writeWanted` gave. */
export const readWanted = (text: WantedText): Wanted => JSON.parse(text) as Wanted;

const differs = (a: unknown, b: unknown): boolean => a !== b && JSON.stringify(a) !== JSON.stringify(b);

const changedIn = <K, V>(past: ReadonlyMap<K, V>, now: ReadonlyMap<K, V>): readonly (readonly [K, V | null])[] =>
  [...new Set([...past.keys(), ...now.keys()])].flatMap((key) =>
    differs(past.get(key), now.get(key)) ? [[key, past.get(key) ?? null] as const] : [],
  );

type Past = Pick<Host, 'site' | 'pools' | 'vms'>;

export const wantedOf = (past: Past, now: Host, contents: Contents): Wanted => ({
  site: past.site,
  pools: changedIn(past.pools, now.pools).map(([pool, definition]) => ({ pool, definition })),
  vms: changedIn(past.vms, now.vms).map(([vm, past]) => ({ vm, past })),
  contents,
});
