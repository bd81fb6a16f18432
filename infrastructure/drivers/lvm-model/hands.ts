import type { DiskId, Place } from '../../../domain/disk.ts';
import { type Code, type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { BoundSource, Job } from '../driver.port.ts';
import { devicePathOf, lvNameOf } from '../lvm-thin/names.ts';
import { streamed } from '../streamed.ts';
import type { Chunks } from './content.ts';
import { type MemoryFiles, STDIN, STDOUT, STREAM } from './files.ts';
import type { LvmModel, Outcome } from './model.ts';
import { EXTENT, type Lv, type Refusal } from './state.ts';

/**
 * `models`: all models whose devices may be copied from, this one's own included when left out. `whenKilled`: whether an
 * armed kill takes the whole process with it (throws `Killed`, as SIGKILL would) or only the lvm command. `slowBytes`: how
 * much a disk may have allocated before erasing it counts as slow.
 */
export type ModelDriverOptions = {
  readonly model: LvmModel;
  readonly files: MemoryFiles;
  readonly models?: readonly LvmModel[];
  readonly whenKilled?: 'throw' | 'fail';
  readonly slowBytes?: number;
};

/** The process died here: nothing of it runs on. Thrown through everything, for the explorer to catch. */
export class Killed extends Error {
  constructor() {
    super('killed by the model');
  }
}

const CODES: Readonly<Record<Refusal['is'], Code>> = {
  exists: 'D_DRIFT',
  failed: 'D_POOL_DAMAGED',
  full: 'D_DISK_FULL',
  'in-use': 'D_DEVICE_IN_USE',
  'io-error': 'D_IO_ERROR',
  killed: 'D_STEP_FAILED',
  'metadata-low': 'D_DISK_FULL',
  missing: 'D_DRIFT',
  'no-device': 'D_STEP_FAILED',
  'not-reduced': 'D_SHRINK',
  'read-only': 'D_POOL_READ_ONLY',
  'same-size': 'D_STEP_FAILED',
  stray: 'D_POOL_DAMAGED',
  unseen: 'D_POOL_UNSEEN',
  unsent: 'D_POOL_READ_ONLY',
  wedged: 'D_STEP_FAILED',
};

const words = (refusal: Refusal): string =>
  'name' in refusal ? `${refusal.name}: ${refusal.is}` : `the model refuses: ${refusal.is}`;

export const shortName = (name: string): string => name.slice(name.indexOf('/') + 1);
export const lvOf = (place: Place): string => shortName(lvNameOf(place.vid, place.role));

/** The tags and the archive's marker of a step. */
export const labelsOf = ({ command, step, deed }: Job) => ({
  tags: ['domtrail', `dt.cmd=${command}`, `dt.step=${step}`],
  by: `${deed.do} domtrail/step="${command}/${step}"`,
});

type Options = ModelDriverOptions;

const done = ({ whenKilled = 'throw' }: Options, outcome: Outcome): Failure | null => {
  if (outcome.ok) return null;
  if (outcome.error.is === 'killed' && whenKilled === 'throw') throw new Killed();
  return failure(CODES[outcome.error.is], words(outcome.error));
};

/** As the real driver does: a wedged pool is put right once, then the change is asked for again. */
export const change = (options: Options, ask: () => Outcome): Failure | null => {
  const first = ask();
  if (first.ok || first.error.is !== 'wedged') return done(options, first);
  const { pool, kernel } = options.model.state();
  if (kernel.transactionId + 1 !== pool.transactionId) return done(options, first);
  options.model.setTransactionId(kernel.transactionId, pool.transactionId);
  return done(options, ask());
};

/** Acts on the LV at a place if it is that disk. */
export const onDisk = (
  { model }: Options,
  at: Place,
  disk: DiskId,
  act: (lv: Lv) => Failure | null,
): Failure | null => {
  const lv = model.find(lvOf(at));
  return lv?.uuid === disk ? act(lv) : failure('D_DRIFT', `${lvNameOf(at.vid, at.role)} is not the disk ${disk}`);
};

/** As the real driver does: the activation skip flag goes first. */
export const madeActive = (options: Options, { active, skip, name }: Lv): Failure | null => {
  if (active) return null;
  const held = skip ? change(options, () => options.model.relabel(name, (lv) => ({ ...lv, skip: false }))) : null;
  return held ?? change(options, () => options.model.activate(name));
};

/** The content of an active LV of any model, by the path of its device. */
const deviceContent = ({ model, models = [model] }: Options, path: string): Chunks | undefined => {
  for (const one of models) {
    const { lvs, volumeGroup } = one.state();
    for (const { name, active } of lvs.values()) {
      if (active && devicePathOf(`${volumeGroup}/${name}`) === path) return one.contentOf(name);
    }
  }
  return undefined;
};

const PATHS = { stdin: STDIN, stream: STREAM } as const;

const sourceOf = (options: Options, from: BoundSource): Result<Chunks, Failure> => {
  const path = from.kind === 'file' ? from.path : PATHS[from.kind];
  const file = options.files.get(path);
  const stale = from.kind === 'file' && from.stamp !== null && file?.stamp !== from.stamp;
  const content = file?.content ?? deviceContent(options, path);
  if (stale || !content) return err(failure('D_INPUT_CHANGED', `${path} is not what the plan was made for`));
  const tooMuch = from.kind === 'stdin' && file !== undefined && file.bytes > from.limit;
  return tooMuch ? err(failure('D_TOO_MUCH_DATA', 'standard input has more data than fits')) : ok(content);
};

/** Reads a stream to its end; the hands themselves never wait. */
export const gather = async ({ files }: Options, { bytes, open }: Extract<BoundSource, { kind: 'stream' }>) => {
  const { pieces, failure: broken } = streamed(open);
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  files.put(STREAM, bytes, [{ offset: 0, text: Buffer.concat(all).toString('latin1') }]);
  return broken();
};

export const fillLv = (options: Options, lv: Lv, from: BoundSource): Failure | null => {
  const bytes = from.kind === 'stdin' ? from.limit : from.bytes;
  if (bytes > lv.extents * EXTENT) return failure('D_TOO_MUCH_DATA', `there is more data than fits into ${lv.name}`);
  if (lv.open > 0) return failure('D_DEVICE_IN_USE', `${lv.name} is open`);
  const content = sourceOf(options, from);
  if (!content.ok) return content.error;
  return madeActive(options, lv) ?? change(options, () => options.model.fill(lv.name, content.value));
};

export const readLv = (options: Options, lv: Lv, path: string | null): Failure | null => {
  const failed = madeActive(options, lv);
  if (!failed) options.files.store(path ?? STDOUT, lv.extents * EXTENT, options.model.contentOf(lv.name));
  return failed;
};

/** A discard that fails costs nothing, as with the real driver; one that is killed ends the process. */
export const eraseLv = (options: Options, { name, open, active }: Lv, by: string): Failure | null => {
  if (options.model.state().kernel.mode !== 'rw') {
    return failure('D_POOL_READ_ONLY', `${name} is not removed while its pool takes no writes`);
  }
  if (open > 0) return failure('D_DEVICE_IN_USE', `${name} is open`);
  if (active) done(options, options.model.discard(name));
  return change(options, () => options.model.remove(name, by));
};
