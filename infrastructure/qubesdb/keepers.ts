import { hash } from 'node:crypto';
import { failure } from '../../domain/failure.ts';
import { keysOf, publication } from '../../domain/firewall/entries.ts';
import { err, ok } from '../../domain/result.ts';
import type { Deed } from '../../domain/steps.ts';
import type { Acted } from '../drivers/driver.port.ts';
import type { Keeper } from '../runner/keeper.port.ts';
import type { QubesDb } from './qubesdb.port.ts';

type PublishFirewall = Extract<Deed, { do: 'publishFirewall' }>;
type WriteKeys = Extract<Deed, { do: 'writeKeys' }>;

const timed = async (work: () => Promise<Acted['failure']>): Promise<Acted> => {
  const started = performance.now();
  const known = await work();
  const durationMs = Math.round(performance.now() - started);
  return { evidence: { argv: [], exitCode: null, stderr: '', durationMs }, failure: known };
};

/** The digest of keys and values in byte order, each line `path=value`. */
const digestOf = (entries: ReadonlyMap<string, string>): string => {
  const lines = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, value]) => `${path}=${value}\n`);
  return `sha256:${hash('sha256', lines.join(''))}`;
};

/** Whether an address holds exactly these keys. Without a trigger key no agent would read the others after a change. */
export const holds = (there: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): boolean =>
  there.size === wanted.size && [...wanted].every(([path, value]) => there.get(path) === value);

/**
 * Publishes the entries of one address, then reads them back. What lies in QubesDB cannot tell whether the agent was woken
 * after it was written, so a publication that a crash cut short is done again from its start.
 */
export const firewallEntries = (db: QubesDb): Keeper<PublishFirewall> => {
  const acted = new WeakSet<PublishFirewall>();
  const seen = new WeakMap<PublishFirewall, string>();
  return {
    look: async (deed) => {
      const there = await db.read(deed.netvm, `/qubes-firewall/${deed.address}`);
      if (!there.ok) return there;
      seen.set(deed, digestOf(there.value));
      if (!acted.has(deed)) return ok('ready');
      if (holds(there.value, keysOf(deed.address, deed.after))) return ok('done');
      return err(
        failure('D_DRIFT', `${deed.netvm} does not hold for ${deed.address} what was just written`, {
          next: `domtrail firewall reload ${deed.vm}`,
        }),
      );
    },
    act: (deed) =>
      timed(async () => {
        const changed = await db.change(deed.netvm, publication(deed.address, deed.after, deed.wake));
        if (changed.ok) acted.add(deed);
        return changed.ok ? null : changed.error;
      }),
    digest: (deed) => seen.get(deed) ?? null,
  };
};

/** Writes keys that the VM itself may change at once, so the daemon's word for every one of them counts. */
export const vmKeys = (db: QubesDb): Keeper<WriteKeys> => {
  const acted = new WeakSet<WriteKeys>();
  return {
    look: async (deed) => ok(acted.has(deed) ? 'done' : 'ready'),
    act: (deed) =>
      timed(async () => {
        const begun = deed.fresh ? await db.begin(deed.vm) : ok(null);
        const changed = begun.ok ? await db.change(deed.vm, deed.keys) : begun;
        if (changed.ok) acted.add(deed);
        return changed.ok ? null : changed.error;
      }),
  };
};
