import { worldFound } from './look.ts';
import type { Machine } from './machine.ts';
import { command, HOME, must } from './orders.ts';
import { ROOT } from './places.ts';
import type { World } from './world.ts';

const GUEST = `${ROOT}/test/lab/guest`;
export const HOST_SCRIPT = `${GUEST}/crash-host.sh`;
export const WORKER = `${ROOT}/dist/lab/work.cjs`;

/** A broken promise, with what was seen. */
export class Broken extends Error {}

/** Runs a script that must end with 0; gives what it printed. */
export const does = async (machine: Machine, script: string): Promise<string> => {
  const ran = await machine.run(script);
  if (ran.code === 0) return ran.out;
  throw new Broken(`${script}\nended with ${ran.code}\n${ran.out}${ran.err}`);
};

/** Brings the disks up as booting does. LVM may complain about single LVs, but never about the pool's metadata. */
export const bringUp = async (machine: Machine): Promise<string> => {
  const said = await does(machine, `${HOST_SCRIPT} up`);
  // LVM runs thin_check on the pool's metadata before it activates it, and says so when it fails.
  if (/Check of pool|needs_check|[Mm]anual repair/.test(said)) throw new Broken(`thin_check: ${said}`);
  return said.trim();
};

const LOOK = `lvm lvs --noheadings -o lv_name -S segtype=thin qubes_dom0 | ${GUEST}/look.pl`;

/**
 * The promises of design/reliability.md, from outside the product: every volume holds an allowed content and nothing
 * else is there, the ledger is whole and knows every acknowledged command; then the product's own fsck and verify.
 * Gives the one of the allowed worlds that is there.
 */
export const keepsPromises = async (
  machine: Machine,
  allowed: readonly World[],
  acknowledged: readonly string[],
): Promise<World> => {
  const found = worldFound(await does(machine, LOOK), allowed);
  if (typeof found === 'string') throw new Broken(found);
  await must(machine, { do: 'audit', file: `${HOME}/ledger.db`, ids: acknowledged });
  await command(machine, null, ['fsck']);
  await command(machine, null, ['verify']);
  return found;
};
