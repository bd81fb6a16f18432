import type { Failure } from '../domain/failure.ts';
import type { Host } from '../domain/host/host.ts';
import { ok, type Result } from '../domain/result.ts';
import type { Arguments } from '../infrastructure/cli/arguments.ts';
import { talk } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { qubesDbAt } from '../infrastructure/qubesdb/choose.ts';
import { documentDrift } from '../infrastructure/service/document-drift.ts';
import { answered, type Drift, type Offered, storageDrift } from '../infrastructure/service/drift.ts';
import { firewallDrift } from '../infrastructure/service/firewall-drift.ts';
import { type ArchivedGroup, archivedGroups } from '../infrastructure/service/lvm-archive.ts';
import { causeOf, commandsOfOthers, toldBy } from '../infrastructure/service/lvm-drift.ts';
import type { Testimony } from '../infrastructure/service/testimony.ts';
import { qubesXml } from '../projections/qubes-xml/qubes-xml.ts';
import { diskById, volumesProjection } from '../projections/volumes/volumes.ts';
import { archiveDirs } from './archive-dirs.ts';
import { driverFor, type Reading, tablesAt } from './compose.ts';
import { nameInPool } from './disk-named.ts';

/** The event that last changed what the log says of a disk, where the state itself does not know it. */
const explained = (reading: Reading, one: Drift): Drift => {
  if (one.position !== null || one.disk === undefined) return one;
  return { ...one, position: diskById(tablesAt(reading, volumesProjection), one.disk)?.changed ?? null };
};

const inFiles = async ({ host, home, ledger }: Reading): Promise<Result<readonly Offered[], Failure>> => {
  const document = documentDrift({ host, home, ledger, render: qubesXml });
  if (!document.ok) return document;
  const db = qubesDbAt(home.qubesDb);
  try {
    return ok([...document.value, ...(await firewallDrift(host, { home: home.dir, db, now: Date.now() }))]);
  } finally {
    await db.close();
  }
};

const withCause = (one: Offered, told: readonly Testimony[]): Offered => {
  const by = causeOf(one, told);
  return by ? { ...one, by } : one;
};

/** Only root may read LVM's archive: without it drift is still found, but not who caused it. */
const archivesOf = async ({ ledger, host }: Reading, args: Arguments): Promise<readonly ArchivedGroup[]> => {
  const groups = await archivedGroups(ledger, host, archiveDirs(args));
  if (groups.ok) return groups.value;
  const { message, cause = '' } = groups.error;
  talk(`note: commands of others are not told: ${escapeText(message)} ${escapeText(cause)}\n`);
  return [];
};

/** Everything that differs between the log and this host. Of a copy of a log only the pools can be looked at. */
export const driftFound = async (args: Arguments, reading: Reading): Promise<Result<readonly Drift[], Failure>> => {
  const { host } = reading;
  const archives = await archivesOf(reading, args);
  const told = toldBy(archives);
  const dirs = { archive: args.text('archive'), backup: args.text('backup') };
  const pools = (await storageDrift(host, driverFor)).map((one) => withCause(one, told));
  const files = args.text('db') === undefined ? await inFiles(reading) : ok([]);
  if (!files.ok) return files;
  return ok(
    answered(host, [...pools, ...commandsOfOthers(archives, dirs), ...files.value]).map((one) =>
      explained(reading, one),
    ),
  );
};

/** Whether a difference is about what somebody named: an LV or file, a volume, a VM, or what `drift` itself calls it. */
export const isAbout =
  (host: Host, text: string) =>
  ({ name, about, object }: Drift): boolean =>
    name === nameInPool(host, text) || object === text || about === text || (about?.startsWith(`${text}:`) ?? false);
