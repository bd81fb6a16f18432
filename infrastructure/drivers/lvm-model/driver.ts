import type { Evidence } from '../../../domain/command/events.ts';
import type { DiskId } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolUsage } from '../../../domain/pool/usage.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { type DeedHands, dispatch } from '../dispatch.ts';
import type { Acted, BoundDeed, Job, Sighting, VolumeDriver } from '../driver.port.ts';
import { SLOW_BYTES } from '../lvm-thin/driver.ts';
import { devicePathOf, lvNameOf, namedInLvm } from '../lvm-thin/names.ts';
import { refusalOf } from '../lvm-thin/refusal.ts';
import { placesOf } from '../places.ts';
import { CHUNK } from './content.ts';
import {
  change,
  eraseLv,
  fillLv,
  gather,
  labelsOf,
  lvOf,
  type ModelDriverOptions,
  madeActive,
  onDisk,
  readLv,
  shortName,
} from './hands.ts';
import { imageOf } from './image.ts';
import { capacityOf, chunksOf, isFull, METADATA_BYTES, metadataShare, usedBlocks } from './kernel.ts';
import type { LvmModel, Outcome } from './model.ts';
import { EXTENT, type Lv, originOf, type State } from './state.ts';
import { examined, mended } from './wounds.ts';

const makerOf = ({ tags }: Lv): Sighting['madeBy'] => {
  const command = tags.find((tag) => tag.startsWith('dt.cmd='))?.slice('dt.cmd='.length);
  const step = tags.find((tag) => tag.startsWith('dt.step='))?.slice('dt.step='.length);
  return command === undefined || step === undefined ? null : { command, step: Number(step) };
};

/** Made in the pool's latest transaction, of which the kernel has not heard. */
const isPhantom = ({ kernel }: State, { active, transactionId }: Lv): boolean =>
  !active && transactionId >= kernel.transactionId;

const sightingOf = (state: State, lv: Lv): Sighting => ({
  id: lv.uuid as DiskId,
  name: `${state.volumeGroup}/${lv.name}`,
  bytes: lv.extents * EXTENT,
  usedBytes: lv.active ? (chunksOf(state, lv)?.size ?? 0) * CHUNK : null,
  madeBy: makerOf(lv),
  origin: (originOf(state, lv)?.uuid ?? null) as DiskId | null,
  usable: !isPhantom(state, lv),
  active: lv.active,
  ...(lv.skip ? { skipped: true } : {}),
  open: lv.open > 0,
});

const sightingsOf = (state: State): readonly Sighting[] =>
  Array.from(state.lvs.values(), (lv) => sightingOf(state, lv));

const troubleOf = (state: State): Pick<PoolUsage, 'trouble'> => {
  const { mode } = state.kernel;
  if (mode !== 'rw') return { trouble: mode };
  return isFull(state) ? { trouble: 'out-of-data' } : {};
};

const usageOf = (state: State): PoolUsage => ({
  bytes: capacityOf(state) * CHUNK,
  usedBytes: usedBlocks(state) * CHUNK,
  metadataBytes: METADATA_BYTES,
  metadataUsedBytes: Math.round(metadataShare(state) * METADATA_BYTES),
  ...troubleOf(state),
});

/** A size that LVM rounds to the one the LV has is no failure: it may have been given before a crash. */
const sizedAlready = (outcome: Outcome): Outcome =>
  !outcome.ok && outcome.error.is === 'same-size' ? ok(null) : outcome;

type Work = { readonly options: ModelDriverOptions; readonly labels: ReturnType<typeof labelsOf> };

const HANDS: DeedHands<Work, Failure | null> = {
  create: ({ options, labels }, { at, bytes }) => change(options, () => options.model.create(lvOf(at), bytes, labels)),
  snapshot: ({ options, labels }, { of, from, at }) =>
    onDisk(options, from, of, (lv) => {
      const failed = madeActive(options, lv);
      return failed ?? change(options, () => options.model.snapshot(lv.name, lvOf(at), labels));
    }),
  move: ({ options, labels }, { disk, from, to }) =>
    onDisk(options, from, disk, (lv) => change(options, () => options.model.rename(lv.name, lvOf(to), labels.by))),
  resize: ({ options, labels: { by } }, { disk, at, bytes, shrink }) =>
    onDisk(options, at, disk, (lv) =>
      change(options, () => sizedAlready(options.model.resize(lv.name, bytes, { shrink, by }))),
    ),
  activate: ({ options }, { disk, at }) => onDisk(options, at, disk, (lv) => madeActive(options, lv)),
  fill: ({ options }, { disk, at, from }) => onDisk(options, at, disk, (lv) => fillLv(options, lv, from)),
  read: ({ options }, { disk, at, to }) =>
    onDisk(options, at, disk, (lv) => readLv(options, lv, to.kind === 'file' ? to.path : null)),
  erase: ({ options, labels }, { disk, at }) => onDisk(options, at, disk, (lv) => eraseLv(options, lv, labels.by)),
};

const NOTHING_RAN: Evidence = { argv: [], exitCode: null, stderr: '', durationMs: 0 };

const wordsOf = (deed: BoundDeed): readonly string[] => ['lvm-model', deed.do, ...placesOf(deed).map(lvOf)];

const attempt = (job: Job, model: LvmModel, act: () => Failure | null): Acted => {
  const refused = refusalOf(job, model.state().volumeGroup);
  if (refused) return { evidence: NOTHING_RAN, failure: refused };
  const failed = act();
  const evidence: Evidence = {
    argv: [wordsOf(job.deed)],
    exitCode: failed ? 5 : 0,
    stderr: failed?.message ?? '',
    durationMs: 0,
  };
  return { evidence, failure: failed };
};

const scrapLv = (options: ModelDriverOptions, { id, name, usable, active }: Sighting, job: Job): Failure | null => {
  if (usable && active) throw new Error(`${name} is usable and must not be scrapped`);
  const lv = options.model.find(shortName(name));
  if (lv?.uuid !== id) return failure('D_DRIFT', `${name} is not the disk ${id}`);
  return change(options, () => options.model.remove(lv.name, labelsOf(job).by));
};

/**
 * The `lvm_thin` driver's twin on the model: same names, same refusals, no processes. Each call does all it does before
 * it gives its promise back, so what runs over it never depends on timing.
 */
export const lvmModelDriver = (options: ModelDriverOptions): VolumeDriver => {
  const { model } = options;
  const seen = async <T>(look: (state: State) => T): Promise<Result<T, Failure>> => {
    const state = model.state();
    return state.visible && !state.torn
      ? ok(look(state))
      : err(failure('D_POOL_UNSEEN', `volume group ${state.volumeGroup} cannot be seen`));
  };
  return {
    nameOf: ({ vid, role }) => lvNameOf(vid, role),
    parseName: namedInLvm,
    pathOf: ({ vid, role }) => devicePathOf(lvNameOf(vid, role)),
    survey: () => seen(sightingsOf),
    act: async (job) => {
      const { deed } = job;
      const broken = deed.do === 'fill' && deed.from.kind === 'stream' ? await gather(options, deed.from) : null;
      return attempt(job, model, () => broken ?? dispatch(HANDS, { options, labels: labelsOf(job) }, deed));
    },
    scrap: async (sighting, job) => attempt(job, model, () => scrapLv(options, sighting, job)),
    erasesSlowly: ({ usedBytes }) => (usedBytes ?? 0) > (options.slowBytes ?? SLOW_BYTES),
    examine: async () => examined(options),
    mend: async (wound) => mended(options, wound),
    settle: () => Promise.resolve(),
    prepare: () => seen(() => null),
    seenUsage: () => usageOf(model.state()),
    usage: () => seen(usageOf),
    image: async (at, disk) => imageOf(options, at, disk),
  };
};
