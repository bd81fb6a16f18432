import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolUsage } from '../../../domain/pool/usage.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Sighting } from '../driver.port.ts';
import { type PoolName, privileged, reportWords } from './argv.ts';
import { poolStatusArgv } from './device-argv.ts';
import { causeOf } from './failures.ts';
import { poolDeviceOf } from './names.ts';
import {
  kernelTransactionId,
  mayBePhantom,
  type PoolReport,
  parseReport,
  poolReport,
  sightingsOf,
  usageOf,
} from './report.ts';
import { type Lookup, runLvm, type Settings } from './work.ts';

/**
 * The pool as LVM has it. A volume group that cannot be seen (its disk is away) is a failure: taken for an empty one it
 * would make every removal look done.
 */
export const lookAtPool = async (pool: PoolName, settings: Settings): Promise<Result<PoolReport, Failure>> => {
  const { evidence, stdout } = await runLvm(settings, reportWords(pool));
  if (evidence.exitCode !== 0) {
    const cause = causeOf(evidence.stderr) || `lvs ended with ${evidence.exitCode ?? 'a signal'}`;
    return err(failure('D_POOL_UNSEEN', `volume group ${pool.volumeGroup} cannot be seen`, { cause }));
  }
  const rows = parseReport(stdout);
  return rows.ok ? poolReport(rows.value, pool) : rows;
};

/**
 * Whether the pool is there, for somebody who is about to add it. Here a volume group that is not found counts as one
 * that does not exist, and the words are those of the stock driver.
 */
export const preparePool = async (pool: PoolName, settings: Settings): Promise<Result<null, Failure>> => {
  const report = await lookAtPool(pool, settings);
  if (report.ok) return ok(null);
  const { code, cause = '' } = report.error;
  if (code !== 'D_POOL_UNSEEN' || !/Volume group ".*" not found/.test(cause)) return report;
  return err(failure('D_NOT_FOUND', `Thin pool ${pool.volumeGroup}/${pool.thinPool} does not exist`, { cause }));
};

/** The kernel's transaction id; null when the pool has no device. */
export const kernelIdOf = async (pool: PoolName, { run, uid }: Settings): Promise<number | null> => {
  const device = poolDeviceOf(pool.volumeGroup, pool.thinPool);
  const { evidence, stdout } = await run(privileged(uid, poolStatusArgv(device)));
  return evidence.exitCode === 0 ? kernelTransactionId(stdout) : null;
};

export const inactivePool = ({ volumeGroup, thinPool }: PoolName, row: string): Failure =>
  failure(
    'D_POOL_UNSEEN',
    `pool ${volumeGroup}/${thinPool} is not active, so it cannot be told whether ${row} is whole`,
    {
      next: `lvchange --activate=y ${volumeGroup}/${thinPool}`,
    },
  );

type Survey = { readonly sightings: readonly Sighting[]; readonly usage: PoolUsage };

/** Every disk of the pool; one process, and a second one only when an LV is inactive that might be a phantom. */
const surveyPool = async (pool: PoolName, settings: Settings): Promise<Result<Survey, Failure>> => {
  const report = await lookAtPool(pool, settings);
  if (!report.ok) return report;
  const usage = usageOf(report.value);
  const suspect = report.value.volumes.find((row) => mayBePhantom(report.value, row));
  if (!suspect) return ok({ sightings: sightingsOf(report.value, pool, null), usage });
  const kernelId = await kernelIdOf(pool, settings);
  if (kernelId === null) return err(inactivePool(pool, suspect.name));
  return ok({ sightings: sightingsOf(report.value, pool, kernelId), usage });
};

/** The last survey, kept so that an act need not look again at what its runner has just seen. */
export type Memory = {
  readonly survey: () => Promise<Result<readonly Sighting[], Failure>>;
  readonly lookup: Lookup;
  /** how full the pool was at the last survey; null when there was none, or it failed */
  readonly usage: () => PoolUsage | null;
  /** These names no longer mean what they meant at the last look. */
  readonly forget: (names: readonly string[]) => void;
};

export const memoryOf = (pool: PoolName, settings: Settings): Memory => {
  let seen = new Map<string, Sighting>();
  let usage: PoolUsage | null = null;
  const survey: Memory['survey'] = async () => {
    const looked = await surveyPool(pool, settings);
    seen = new Map(looked.ok ? looked.value.sightings.map((one) => [one.name, one]) : []);
    usage = looked.ok ? looked.value.usage : null;
    return looked.ok ? ok(looked.value.sightings) : looked;
  };
  return {
    survey,
    usage: () => usage,
    lookup: async (name, expected) => {
      const known = seen.get(name);
      if (known?.id === expected) return ok(known);
      const looked = await survey();
      return looked.ok ? ok(seen.get(name) ?? null) : looked;
    },
    forget: (names) => {
      for (const name of names) seen.delete(name);
    },
  };
};
