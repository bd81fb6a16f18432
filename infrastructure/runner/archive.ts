import type { Archive } from '../../domain/backup/archive.ts';
import type { Evidence } from '../../domain/command/events.ts';
import { madeSoFar, type Operation } from '../../domain/command/operation.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { resolve, type Step } from '../../domain/steps.ts';
import { discardPart, targetIsFree } from '../backup/deliver.ts';
import type { Image } from '../drivers/image.ts';
import type { Hands } from './perform.ts';
import { done, failed, NOTHING_RAN, type StepDone, type StepFailed } from './step-event.ts';

type Images = ReadonlyMap<VolumeKey, Image>;

/** The log keeps them. */
const MOST_LINES = 50;

const imagesOf = async (operation: Operation, { vms }: Archive, hands: Hands): Promise<Result<Images, Failure>> => {
  const images = new Map<VolumeKey, Image>();
  const made = madeSoFar(operation);
  for (const { volume, disk, at } of vms.flatMap(({ volumes }) => volumes)) {
    const pool = hands.pools.get(at.pool);
    if (!pool.ok) return pool;
    const id = resolve(disk, made);
    if (!id) throw new Error(`${volume} is read from a disk that is not recorded`);
    const { driver } = pool.value;
    if (!driver.image) return err(failure('D_DRIVER_REFUSES', `the disks of pool ${at.pool} cannot be read`));
    const image = await driver.image(at, id);
    if (!image.ok) return image;
    images.set(volume, image.value);
  }
  return ok(images);
};

/** The passphrase is kept nowhere: what a crash interrupted cannot go on, and is cleared away. */
const cannotGoOn = async ({ to, backup, vms }: Archive, { pools }: Hands): Promise<Failure> => {
  if (to.kind === 'file') await discardPart({ path: to.path, backup });
  for (const name of new Set(vms.flatMap(({ volumes }) => volumes.map(({ at }) => at.pool)))) {
    const pool = pools.get(name);
    if (pool.ok) await pool.value.driver.releaseImages?.();
  }
  return failure('D_INPUT_CHANGED', 'a backup needs its passphrase to go on, which is not kept: make it again');
};

/** With the volumes of which more was read than they hold, and why. */
const told = (evidence: Evidence, images: Images): Evidence => {
  const lines = [...images].flatMap(([volume, { unmapped }]) =>
    unmapped ? [`${volume} was read whole: ${unmapped}`] : [],
  );
  const said = evidence.stderr === '' ? lines : [...lines, evidence.stderr];
  return { ...evidence, stderr: said.slice(0, MOST_LINES).join('\n') };
};

/** Writes the volumes of a backup. Other commands go on meanwhile: what is read is pinned, or held. */
export const archive = async (
  operation: Operation,
  step: Step,
  deed: Archive,
  hands: Hands,
): Promise<Result<StepDone, StepFailed>> => {
  const { archiver } = hands;
  const refuse = (reason: Failure) => err(failed(step, reason, NOTHING_RAN));
  if (!archiver || hands.stdin === 'gone') return refuse(await cannotGoOn(deed, hands));
  const free = deed.to.kind === 'file' ? await targetIsFree(deed.to.path) : ok(null);
  if (!free.ok) return refuse(free.error);
  const images = await imagesOf(operation, deed, hands);
  if (!images.ok) return refuse(images.error);
  const archived = await hands.withoutLease(() => archiver(deed, images.value, hands.progress(step)));
  hands.fault.reach('after-step');
  if (!archived.ok) return refuse(archived.error);
  const { written, evidence } = archived.value;
  return ok({
    ...done(step, { found: false, before: null, after: null, evidence: told(evidence, images.value) }),
    written,
  });
};
