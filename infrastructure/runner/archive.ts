import type { Archive } from '../../domain/backup/archive.ts';
import type { Evidence } from '../../domain/command/events.ts';
import { madeSoFar, type Operation } from '../../domain/command/operation.ts';
import type { DiskId, Place } from '../../domain/disk.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { resolve, type Step } from '../../domain/steps.ts';
import { discardPart, targetIsFree } from '../backup/deliver.ts';
import type { Image } from '../drivers/image.ts';
import type { Hands } from './perform.ts';
import type { PoolHands, Pools } from './pools.ts';
import { done, failed, NOTHING_RAN, type StepDone, type StepFailed } from './step-event.ts';

type Images = ReadonlyMap<VolumeKey, Image>;

/** The log keeps them. */
const MOST_LINES = 50;

/** A snapshot that was made to be read may have lost its device since: a reboot leaves it inactive. */
const awake = async ({ driver, looks }: PoolHands, at: Place, id: DiskId): Promise<Failure | null> => {
  const look = await looks.now();
  if (!look.ok) return look.error;
  const seen = look.value.byId.get(id);
  if (!seen || seen.active || seen.name !== driver.nameOf(at)) return null;
  const deed = { do: 'activate', disk: id, at } as const;
  return (await looks.during(() => driver.act({ command: 'activate', step: 0, deed }))).failure;
};

const imagesOf = async (operation: Operation, { vms }: Archive, hands: Hands): Promise<Result<Images, Failure>> => {
  const images = new Map<VolumeKey, Image>();
  const made = madeSoFar(operation);
  for (const { volume, disk, at } of vms.flatMap(({ volumes }) => volumes)) {
    const pool = hands.pools.get(at.pool);
    if (!pool.ok) return pool;
    const id = resolve(disk, made);
    if (!id) throw new Error(`${volume} is read from a disk that is not recorded`);
    const { driver } = pool.value;
    const asleep = at.role.kind === 'current' ? null : await awake(pool.value, at, id);
    if (asleep) return err(asleep);
    if (!driver.image) return err(failure('D_DRIVER_REFUSES', `the disks of pool ${at.pool} cannot be read`));
    const image = await driver.image(at, id);
    if (!image.ok) return image;
    images.set(volume, image.value);
  }
  return ok(images);
};

/** Gives back what a process took that died while it wrote a backup. */
export const releaseImages = async ({ vms }: Archive, pools: Pools): Promise<void> => {
  for (const name of new Set(vms.flatMap(({ volumes }) => volumes.map(({ at }) => at.pool)))) {
    const pool = pools.get(name);
    if (pool.ok) await pool.value.driver.releaseImages?.();
  }
};

/** Only who has the passphrase can go on with what a crash interrupted; anybody else gives it up, and it is cleared away. */
const cannotGoOn = async (deed: Archive, { pools }: Hands): Promise<Failure> => {
  const { to, backup } = deed;
  if (to.kind === 'file') await discardPart({ path: to.path, backup });
  await releaseImages(deed, pools);
  return to.kind === 'file'
    ? failure('D_INPUT_CHANGED', 'only "backup resume" has the passphrase to go on: the backup was given up')
    : failure('D_INPUT_CHANGED', 'what went to standard output cannot be called back: make the backup again');
};

/** With the volumes of which more was read than they hold, and why. */
const told = (evidence: Evidence, images: Images): Evidence => {
  const lines = [...images].flatMap(([volume, { unmapped }]) =>
    unmapped ? [`${volume} was read whole: ${unmapped}`] : [],
  );
  const said = evidence.stderr === '' ? [] : [evidence.stderr];
  return { ...evidence, stderr: [...lines.slice(0, MOST_LINES), ...said].join('\n') };
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
