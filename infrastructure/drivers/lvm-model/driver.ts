import type { Evidence } from '../../../domain/command/events.ts';
import type { DiskId, Place } from '../../../domain/disk.ts';
import { type Code, type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Acted, BoundDeed, BoundSource, Job, Sighting, VolumeDriver } from '../driver.port.ts';
import { refusalOf } from '../lvm-thin/driver.ts';
import { devicePathOf, lvNameOf } from '../lvm-thin/names.ts';
import { CHUNK, type Chunks } from './content.ts';
import { type MemoryFiles, STDIN, STDOUT } from './files.ts';
import { capacityOf, chunksOf, usedBlocks } from './kernel.ts';
import type { LvmModel, Outcome } from './model.ts';
import { EXTENT, type Lv, originOf, type Refusal, type State } from './state.ts';

/**
 * `models`: all models whose devices may be copied from, this one's own included when left out. `whenKilled`: whether an
 * armed kill takes the whole process with it (throws `Killed`, as SIGKILL would) or only the lvm command.
 */
export type ModelDriverOptions = {
  readonly model: LvmModel;
  readonly files: MemoryFiles;
  readonly models?: readonly LvmModel[];
  readonly whenKilled?: 'throw' | 'fail';
};

/** The process died here: nothing of it runs on. Thrown through everything, for the explorer to catch. */
export class Killed extends Error {
  constructor() {
    super('killed by the model');
  }
}

const CODES: Readonly<Record<Refusal['is'], Code>> = {
  exists: 'D_DRIFT',
  full: 'D_DISK_FULL',
  'in-use': 'D_DEVICE_IN_USE',
  killed: 'D_STEP_FAILED',
  missing: 'D_DRIFT',
  'no-device': 'D_STEP_FAILED',
  'not-reduced': 'D_SHRINK',
  'same-size': 'D_STEP_FAILED',
  unseen: 'D_POOL_UNSEEN',
  wedged: 'D_STEP_FAILED',
};

const words = (refusal: Refusal): string =>
  'name' in refusal ? `${refusal.name}: ${refusal.is}` : `the model refuses: ${refusal.is}`;

const shortName = (name: string): string => name.slice(name.indexOf('/') + 1);
const lvOf = (place: Place): string => shortName(lvNameOf(place.vid, place.role));

const makerOf = ({ tags }: Lv): Sighting['madeBy'] => {
  const command = tags.find((tag) => tag.startsWith('dt.cmd='))?.slice('dt.cmd='.length);
  const step = tags.find((tag) => tag.startsWith('dt.step='))?.slice('dt.step='.length);
  return command === undefined || step === undefined ? null : { command, step: Number(step) };
};

const isPhantom = ({ pool, kernel }: State, { active, transactionId }: Lv): boolean =>
  !active && kernel.transactionId < pool.transactionId && transactionId >= kernel.transactionId;

const sightingOf = (state: State, lv: Lv): Sighting => ({
  id: lv.uuid as DiskId,
  name: `${state.volumeGroup}/${lv.name}`,
  bytes: lv.extents * EXTENT,
  usedBytes: lv.active ? (chunksOf(state, lv)?.size ?? 0) * CHUNK : null,
  madeBy: makerOf(lv),
  origin: (originOf(state, lv)?.uuid ?? null) as DiskId | null,
  usable: !isPhantom(state, lv),
  active: lv.active,
  open: lv.open > 0,
});

/** The LV at a place if it is that disk. */
const theLv = (model: LvmModel, at: Place, disk: DiskId): Result<Lv, Failure> => {
  const lv = model.find(lvOf(at));
  return lv?.uuid === disk ? ok(lv) : err(failure('D_DRIFT', `${lvNameOf(at.vid, at.role)} is not the disk ${disk}`));
};

const labelsOf = ({ command, step, deed }: Job) => ({
  tags: ['domtrail', `dt.cmd=${command}`, `dt.step=${step}`],
  by: `${deed.do} domtrail/step="${command}/${step}"`,
});

/** Carries deeds out on the model. One function per deed, each giving the refusal or null. */
const hands = ({ model, files, models = [model], whenKilled = 'throw' }: ModelDriverOptions) => {
  const done = (outcome: Outcome): Failure | null => {
    if (outcome.ok) return null;
    if (outcome.error.is === 'killed' && whenKilled === 'throw') throw new Killed();
    return failure(CODES[outcome.error.is], words(outcome.error));
  };
  /** As the real driver does: a wedged pool is put right once, then the change is asked for again. */
  const change = (ask: () => Outcome): Failure | null => {
    const first = ask();
    if (first.ok || first.error.is !== 'wedged') return done(first);
    const { pool, kernel } = model.state();
    const righted = kernel.transactionId + 1 === pool.transactionId;
    if (righted) model.setTransactionId(kernel.transactionId, pool.transactionId);
    return done(righted ? ask() : first);
  };
  const onDisk = (at: Place, disk: DiskId, act: (lv: Lv) => Failure | null): Failure | null => {
    const lv = theLv(model, at, disk);
    return lv.ok ? act(lv.value) : lv.error;
  };
  const madeActive = (lv: Lv): Failure | null => (lv.active ? null : change(() => model.activate(lv.name)));
  const device = (path: string): { readonly content: Chunks } | undefined => {
    for (const one of models) {
      for (const { name } of one.state().lvs.values()) {
        if (devicePathOf(`${one.state().volumeGroup}/${name}`) === path) return { content: one.contentOf(name) };
      }
    }
    return undefined;
  };
  const source = (from: BoundSource): Result<Chunks, Failure> => {
    const path = from.kind === 'file' ? from.path : STDIN;
    const found = files.get(path);
    const changed = from.kind === 'file' && from.stamp !== null && found?.stamp !== from.stamp;
    const content = (found ?? device(path))?.content;
    if (changed || !content) return err(failure('D_INPUT_CHANGED', `${path} is not what the plan was made for`));
    const tooMuch = from.kind === 'stdin' && (found?.bytes ?? 0) > from.limit;
    return tooMuch ? err(failure('D_TOO_MUCH_DATA', 'standard input has more data than fits')) : ok(content);
  };
  const fill = (lv: Lv, from: BoundSource): Failure | null => {
    const bytes = from.kind === 'file' ? from.bytes : from.limit;
    if (bytes > lv.extents * EXTENT) return failure('D_TOO_MUCH_DATA', `there is more data than fits into ${lv.name}`);
    if (lv.open > 0) return failure('D_DEVICE_IN_USE', `${lv.name} is open`);
    const content = source(from);
    if (!content.ok) return content.error;
    return madeActive(lv) ?? change(() => model.fill(lv.name, content.value));
  };
  const read = (lv: Lv, path: string): Failure | null => {
    const failed = madeActive(lv);
    if (!failed) files.store(path, lv.extents * EXTENT, model.contentOf(lv.name));
    return failed;
  };
  const erase = ({ name, open, active }: Lv, { by }: ReturnType<typeof labelsOf>): Failure | null => {
    if (open > 0) return failure('D_DEVICE_IN_USE', `${name} is open`);
    return (active ? done(model.discard(name)) : null) ?? change(() => model.remove(name, by));
  };
  return { model, change, onDisk, madeActive, fill, read, erase };
};

type Hands = ReturnType<typeof hands>;

const carryOut = (job: Job, { model, change, onDisk, madeActive, fill, read, erase }: Hands): Failure | null => {
  const { deed } = job;
  const labels = labelsOf(job);
  switch (deed.do) {
    case 'create':
      return change(() => model.create(lvOf(deed.at), deed.bytes, labels));
    case 'snapshot':
      return onDisk(deed.from, deed.of, (lv) => madeActive(lv) ?? change(() => model.snapshot(lv.name, lvOf(deed.at), labels)));
    case 'move':
      return onDisk(deed.from, deed.disk, (lv) => change(() => model.rename(lv.name, lvOf(deed.to), labels.by)));
    case 'resize':
      return onDisk(deed.at, deed.disk, (lv) => change(() => model.resize(lv.name, deed.bytes, { ...deed, ...labels })));
    case 'activate':
      return onDisk(deed.at, deed.disk, madeActive);
    case 'fill':
      return onDisk(deed.at, deed.disk, (lv) => fill(lv, deed.from));
    case 'read':
      return onDisk(deed.at, deed.disk, (lv) => read(lv, deed.to.kind === 'file' ? deed.to.path : STDOUT));
    case 'erase':
      if (deed.at.role.kind !== 'trash') throw new Error(`${lvOf(deed.at)} is not trash and must not be erased`);
      return onDisk(deed.at, deed.disk, (lv) => erase(lv, labels));
  }
};

const ranAs = (job: Job, failed: Failure | null): Evidence => ({
  argv: [['lvm-model', job.deed.do, ...namesOf(job.deed)]],
  exitCode: failed ? 5 : 0,
  stderr: failed?.message ?? '',
  durationMs: 0,
});

const namesOf = (deed: BoundDeed): readonly string[] => {
  if (deed.do === 'move') return [lvOf(deed.from), lvOf(deed.to)];
  return deed.do === 'snapshot' ? [lvOf(deed.from), lvOf(deed.at)] : [lvOf(deed.at)];
};

const UNSEEN = failure('D_POOL_UNSEEN', 'the volume group cannot be seen');

/**
 * The `lvm_thin` driver's twin on the model: same names, same refusals, no processes. Everything happens before the
 * promise is returned, so a run over it never depends on timing.
 */
export const lvmModelDriver = (options: ModelDriverOptions): VolumeDriver => {
  const { model } = options;
  const able = hands(options);
  const attempt = (job: Job, act: () => Failure | null): Promise<Acted> => {
    const refused = refusalOf(job, model.state());
    if (refused) return Promise.resolve({ evidence: { argv: [], exitCode: null, stderr: '', durationMs: 0 }, failure: refused });
    const failed = act();
    return Promise.resolve({ evidence: ranAs(job, failed), failure: failed });
  };
  const whenSeen = <T>(value: () => T): Promise<Result<T, Failure>> =>
    Promise.resolve(model.state().visible ? ok(value()) : err(UNSEEN));
  return {
    nameOf: ({ vid, role }) => lvNameOf(vid, role),
    pathOf: ({ vid, role }) => devicePathOf(lvNameOf(vid, role)),
    survey: () => whenSeen(() => [...model.state().lvs.values()].map((lv) => sightingOf(model.state(), lv))),
    act: async (job) => attempt(job, () => carryOut(job, able)),
    scrap: async ({ id, name, usable }, job) =>
      attempt(job, () => {
        if (usable) throw new Error(`${name} is usable and must not be scrapped`);
        const lv = model.find(shortName(name));
        if (lv?.uuid !== id) return failure('D_DRIFT', `${name} is not the disk ${id}`);
        return able.change(() => model.remove(lv.name, labelsOf(job).by));
      }),
    settle: () => Promise.resolve(),
    prepare: () => whenSeen(() => null),
    usage: () =>
      whenSeen(() => ({
        bytes: capacityOf(model.state()) * CHUNK,
        usedBytes: usedBlocks(model.state()) * CHUNK,
        metadataBytes: EXTENT,
        metadataUsedBytes: model.state().lvs.size * CHUNK,
      })),
  };
};
