import type { Evidence } from '../../../domain/command/events.ts';
import type { DiskId, Place } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolTrouble } from '../../../domain/pool/usage.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Ran, RunOptions } from '../../process/run.ts';
import type { Job, Progress, Sighting } from '../driver.port.ts';
import type { imageAt } from '../image.ts';
import { type Argv, type LvmWords, lvm, type PoolName, privileged } from './argv.ts';
import { withoutNoise } from './failures.ts';
import type { Flush } from './flush.ts';
import { lvNameOf } from './names.ts';

/** Runs one program and waits for it; in tests it answers from a model. */
export type Run = (argv: Argv, options?: RunOptions) => Promise<Ran>;

/**
 * `uid`: programs that need root run through sudo unless it is 0. `stdin`, `stdout`: descriptors for content in and
 * out. `patienceMs`: how long a disk that is about to be filled may stay open elsewhere.
 */
export type Settings = {
  readonly run: Run;
  /** for commands of lvm, which may share a process; left out: each has its own */
  readonly lvm?: Run;
  readonly uid: number;
  readonly stdin: number;
  readonly stdout: number;
  readonly patienceMs: number;
  /** called after each command that changed LVM's description of the pool */
  readonly flush: Flush;
  /** how a device is read; in tests from a model. Left out: as any file */
  readonly image?: typeof imageAt;
};

/** The disk with that name at the last look, or at a new one when the last does not show what is expected. */
export type Lookup = (name: string, expected: DiskId) => Promise<Result<Sighting | null, Failure>>;

/** One act under way. What its programs said is collected for the record. */
export type Work = {
  readonly pool: PoolName;
  readonly settings: Settings;
  readonly job: Job;
  readonly progress: Progress;
  readonly lookup: Lookup;
  /** what the last survey found wrong with the pool */
  readonly trouble: () => PoolTrouble | undefined;
  /** A program with the rights of root where it needs them. */
  readonly program: (argv: Argv, options?: RunOptions) => Promise<Ran>;
  readonly lvm: (words: LvmWords) => Promise<Ran>;
};

/** One command of lvm, with the rights of root. */
export const runLvm = ({ run, lvm: shared = run, uid }: Settings, words: LvmWords): Promise<Ran> =>
  shared(lvm(uid, words));

/** Runs programs and keeps what they said, without the noise. */
export const recording = (settings: Settings) => {
  const said: Evidence[] = [];
  const kept = (ran: Ran): Ran => {
    const clean: Ran = { ...ran, evidence: { ...ran.evidence, stderr: withoutNoise(ran.evidence.stderr) } };
    said.push(clean.evidence);
    return clean;
  };
  const program: Work['program'] = async (argv, options) =>
    kept(await settings.run(privileged(settings.uid, argv), options));
  let changes = 0;
  const words: Work['lvm'] = async (lvmWords) => {
    changes++;
    return kept(await runLvm(settings, lvmWords));
  };
  const evidence = (): Evidence => ({
    argv: said.flatMap(({ argv }) => argv),
    exitCode: said.at(-1)?.exitCode ?? null,
    stderr: said.map(({ stderr }) => stderr).join(''),
    durationMs: said.reduce((sum, { durationMs }) => sum + durationMs, 0),
  });
  return { program, lvm: words, evidence, changed: () => changes > 0 };
};

export const nameOf = ({ vid, role }: Place): string => lvNameOf(vid, role);

/** The disk that must lie at a place; anything else there, or nothing, is drift and nothing is touched. */
export const theDisk = async (
  { lookup }: Pick<Work, 'lookup'>,
  at: Place,
  disk: DiskId,
): Promise<Result<Sighting, Failure>> => {
  const name = nameOf(at);
  const seen = await lookup(name, disk);
  if (!seen.ok) return seen;
  if (seen.value?.id === disk) return ok(seen.value);
  const what = seen.value ? `is another disk (${seen.value.id})` : 'is not there';
  return err(failure('D_DRIFT', `${name} ${what}, where ${disk} should be`));
};
