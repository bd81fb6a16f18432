import type { DiskId } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolWound } from '../../../domain/pool/wound.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { activateWords, lvm, type PoolName } from './argv.ts';
import { inactivePool, kernelIdOf, lookAtPool } from './look.ts';
import { isActive, type LvRow, makerOf, type PoolReport } from './report.ts';
import type { Settings } from './work.ts';

/** Marks what examining runs in LVM's archive: no command asked for it. */
const EXAMINING = { command: 'examine', step: 0 };

type Both = { readonly report: PoolReport; readonly kernelId: number };

/** Gives what LVM said on stderr. What came of it is asked of the next look, not of the exit code. */
const activate = async (name: string, { run, uid }: Settings): Promise<string> => {
  const { evidence } = await run(lvm(uid, activateWords(name, EXAMINING)));
  return evidence.stderr;
};

const damaged = ({ volumeGroup, thinPool }: PoolName, message: string, next: string): Failure =>
  failure('D_POOL_DAMAGED', `pool ${volumeGroup}/${thinPool}: ${message}`, { next });

const unexplained = (pool: PoolName, lvmId: number, kernelId: number): Failure => {
  const message = `LVM counts ${lvmId} transactions and the kernel ${kernelId}, which no crash explains`;
  return damaged(pool, message, 'docs/failure-modes.md, "A pool that is damaged"');
};

/** LVM does not activate a pool whose ids are too far apart, but it says them. */
const whyInactive = (pool: PoolName, said: string): Failure => {
  const [, kernelId, lvmId] = /transaction_id is (\d+), while expected (\d+)/.exec(said) ?? [];
  return lvmId === undefined ? inactivePool(pool, 'it') : unexplained(pool, Number(lvmId), Number(kernelId));
};

const lookAtBoth = async (pool: PoolName, settings: Settings): Promise<Result<Both, Failure>> => {
  const report = await lookAtPool(pool, settings);
  if (!report.ok) return report;
  const seen = await kernelIdOf(pool, settings);
  if (seen !== null) return ok({ report: report.value, kernelId: seen });
  const said = await activate(`${pool.volumeGroup}/${pool.thinPool}`, settings);
  const kernelId = await kernelIdOf(pool, settings);
  return kernelId === null ? err(whyInactive(pool, said)) : ok({ report: report.value, kernelId });
};

const apart = ({ report, kernelId }: Both): boolean => report.pool.transactionId !== kernelId;

const same = (a: Both, b: Both): boolean =>
  a.kernelId === b.kernelId && a.report.pool.transactionId === b.report.pool.transactionId;

const MOST_LOOKS = 5;

/** LVM's side and the kernel's come from two programs: somebody's command in between would look like a wound. */
const steadyLook = async (pool: PoolName, settings: Settings): Promise<Result<Both, Failure>> => {
  let before = await lookAtBoth(pool, settings);
  for (let left = MOST_LOOKS; before.ok && apart(before.value) && left > 0; left--) {
    const now = await lookAtBoth(pool, settings);
    if (now.ok && same(before.value, now.value)) return now;
    before = now;
  }
  return before;
};

/** The LV that the waiting message is about. None: the message is a removal, which LVM sends again by itself. */
const suspectOf = ({ volumes, pool }: PoolReport): LvRow | undefined =>
  volumes.find(({ transactionId }) => transactionId !== null && transactionId + 1 === pool.transactionId);

const isActiveNow = async (row: LvRow, pool: PoolName, settings: Settings): Promise<Result<boolean, Failure>> => {
  if (isActive(row)) return ok(true);
  // A disk that exists can be activated, one that was never made cannot (spec: lvm §9).
  await activate(`${pool.volumeGroup}/${row.name}`, settings);
  const report = await lookAtPool(pool, settings);
  if (!report.ok) return report;
  return ok(report.value.volumes.some(({ uuid, attr }) => uuid === row.uuid && isActive({ attr })));
};

const woundOf = async (
  { report, kernelId }: Both,
  pool: PoolName,
  settings: Settings,
): Promise<Result<readonly PoolWound[], Failure>> => {
  const lvmId = report.pool.transactionId ?? kernelId;
  if (lvmId === kernelId) return ok([]);
  if (lvmId !== kernelId + 1) return err(unexplained(pool, lvmId, kernelId));
  const suspect = suspectOf(report);
  if (!suspect) return ok([]);
  const name = `${pool.volumeGroup}/${suspect.name}`;
  const disk = suspect.uuid as DiskId;
  const active = await isActiveNow(suspect, pool, settings);
  if (!active.ok) return active;
  if (active.value) return ok([{ is: 'wedged', name, disk, lvm: lvmId, kernel: kernelId }]);
  if (makerOf(suspect)) return ok([{ is: 'phantom', name, disk }]);
  // Nothing that the log did not make is removed; left there, our next command would make it, of the wrong moment.
  const message = `${name} is listed and was never made, by a command of somebody else that was cut off`;
  return err(damaged(pool, message, `lvm lvremove --force ${name}`));
};

/** LVM says so about a text it cannot read; a disk that is away is not even mentioned (spec: testbed §2, F2). */
const isTorn = ({ code, cause = '' }: Failure): boolean =>
  code === 'D_POOL_UNSEEN' && /has invalid summary for VG/.test(cause);

/** What a crash left wrong with a pool: compares what LVM and the kernel count before anything is sent to either. */
export const examinePool = async (
  pool: PoolName,
  settings: Settings,
): Promise<Result<readonly PoolWound[], Failure>> => {
  const both = await steadyLook(pool, settings);
  if (both.ok) return woundOf(both.value, pool, settings);
  return isTorn(both.error) ? ok([{ is: 'torn', volumeGroup: pool.volumeGroup }]) : both;
};
