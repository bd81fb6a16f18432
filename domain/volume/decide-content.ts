import { roundUpToSector } from '../bytes.ts';
import type { Context, Decision } from '../decision.ts';
import type { Place } from '../disk.ts';
import { type Failure, failure } from '../failure.ts';
import { holdVolume, reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok, type Result } from '../result.ts';
import type { CloneVolume, ExportVolume, ImportVolume, RevertVolume } from './commands.ts';
import { type Found, findRevision, findVolume } from './find.ts';
import { all, mustBeHalted, mustBeWritable, mustNotBeDirty, mustSaveOnStop } from './guards.ts';
import { CURRENT, IMPORT, type Planning, placeOf, swapIn } from './swap.ts';
import { bytesOf, currentOf } from './volume.ts';

const replaceable = ({ vm, volume }: Found, what: string): Result<null, Failure> =>
  all(mustSaveOnStop(volume, what), mustBeHalted(vm), mustNotBeDirty(volume), mustBeWritable(volume));

const planningFor = (found: Found, context: Context): Planning => ({
  builder: planBuilder(context.position),
  pool: found.pool,
  context,
});

const incomingPlace = (found: Found, { builder }: Planning) =>
  placeOf(found.volume, { kind: 'incoming', position: builder.freshPosition() });

/** The replaced state becomes a revision, the chosen one is copied, so a revert can itself be reverted. */
export const decideRevert = (host: Host, { vm, volume, revision }: RevertVolume, context: Context): Decision => {
  const found = findVolume(host, vm, volume);
  if (!found.ok) return found;
  const allowed = replaceable(found.value, 'revert');
  if (!allowed.ok) return allowed;
  const to = findRevision(found.value.volume, revision);
  if (!to.ok) return to;
  const planning = planningFor(found.value, context);
  const { builder } = planning;
  const { key } = found.value;
  const at = incomingPlace(found.value, planning);
  const { number, at: time, disk, id } = to.value;
  const from = placeOf(found.value.volume, { kind: 'revision', number, at: time });
  const made = builder.main(key, { do: 'snapshot', of: { id: disk.id }, from, at });
  const kept = swapIn(found.value.volume, { ref: { madeBy: made }, from: at }, planning);
  builder.fact({ type: 'VolumeReverted', volume: key, to: id, current: { madeBy: made }, kept });
  return ok({ plan: builder.build(), holds: holdVolume(vm, key) });
};

/** From a file the volume takes the file's size; from standard input it keeps its own. */
export const decideImport = (host: Host, { vm, volume, from }: ImportVolume, context: Context): Decision => {
  const found = findVolume(host, vm, volume);
  if (!found.ok) return found;
  const allowed = replaceable(found.value, 'import');
  if (!allowed.ok) return allowed;
  const bytes = from.kind === 'file' ? roundUpToSector(from.bytes) : bytesOf(found.value.volume);
  if (bytes === 0) return err(failure('D_BAD_INPUT', 'an empty file cannot become a volume'));
  const planning = planningFor(found.value, context);
  const { builder } = planning;
  const { key } = found.value;
  const at = placeOf(found.value.volume, IMPORT);
  const made = builder.main(key, { do: 'create', at, bytes });
  builder.main(key, { do: 'fill', disk: { madeBy: made }, at, from });
  const kept = swapIn(found.value.volume, { ref: { madeBy: made }, from: at }, planning);
  const source = from.kind === 'file' ? from.path : '-';
  builder.fact({ type: 'VolumeImported', volume: key, from: source, current: { madeBy: made }, kept });
  return ok({ plan: builder.build(), holds: holdVolume(vm, key) });
};

/** Refuses a volume whose committed disk is missing, being written to, or older than a session nobody decided about. */
export const mustBeCopyable = ({ volume }: Found): Result<null, Failure> => {
  const { key } = volume.spec;
  if (volume.situation.is === 'direct') {
    return err(failure('D_NOT_HALTED', `${key} is being written to without snapshots: stop its VM first`));
  }
  if (!currentOf(volume)) return err(failure('D_NOTHING_COMMITTED', `${key} has no committed state to read`));
  return mustNotBeDirty(volume);
};

export const decideExport = (host: Host, { vm, volume, to }: ExportVolume, context: Context): Decision => {
  const found = findVolume(host, vm, volume);
  if (!found.ok) return found;
  const allowed = all(mustSaveOnStop(found.value.volume, 'export'), mustBeCopyable(found.value));
  if (!allowed.ok) return allowed;
  const { builder } = planningFor(found.value, context);
  const disk = currentOf(found.value.volume);
  if (!disk) throw new Error('mustBeCopyable let a volume without a disk pass');
  const { key } = found.value;
  const at = placeOf(found.value.volume, CURRENT);
  builder.main(key, { do: 'activate', disk: { id: disk.id }, at });
  builder.main(key, { do: 'read', disk: { id: disk.id }, at, to });
  builder.fact({ type: 'VolumeExported', volume: key, to: to.kind === 'file' ? to.path : '-', disk });
  return ok({ plan: builder.build(), holds: [reading(vm), reading(key)] });
};

/** Gives the target the source's last committed state; the target's own becomes a revision. */
export const decideCloneVolume = (host: Host, { source, target }: CloneVolume, context: Context): Decision => {
  const from = findVolume(host, source.vm, source.volume);
  if (!from.ok) return from;
  const onto = findVolume(host, target.vm, target.volume);
  if (!onto.ok) return onto;
  if (from.value.key === onto.value.key) return err(failure('D_BAD_INPUT', 'source and target are the same volume'));
  const allowed = all(mustBeCopyable(from.value), replaceable(onto.value, 'replace'));
  if (!allowed.ok) return allowed;
  const planning = planningFor(onto.value, context);
  const { builder } = planning;
  const at = incomingPlace(onto.value, planning);
  const made = copyInto(from.value, { at, object: onto.value.key }, planning);
  const kept = swapIn(onto.value.volume, { ref: { madeBy: made }, from: at }, planning);
  const { key } = onto.value;
  builder.fact({ type: 'VolumeCloned', volume: key, from: from.value.key, current: { madeBy: made }, kept });
  const holds = [...holdVolume(target.vm, key), reading(source.vm), reading(from.value.key)];
  return ok({ plan: builder.build(), holds });
};

type Target = { readonly at: Place; readonly object: string };

/** A copy of a volume's committed disk at `at`: a snapshot inside a pool, a filled disk across pools. */
export const copyInto = (from: Found, { at, object }: Target, { builder }: Planning): number => {
  const disk = currentOf(from.volume);
  if (!disk) throw new Error(`${from.key} has no committed disk to copy`);
  const source = placeOf(from.volume, CURRENT);
  if (at.pool === source.pool) return builder.main(object, { do: 'snapshot', of: { id: disk.id }, from: source, at });
  const made = builder.main(object, { do: 'create', at, bytes: disk.bytes });
  const content = { kind: 'disk', disk: { id: disk.id }, at: source } as const;
  builder.main(object, { do: 'fill', disk: { madeBy: made }, at, from: content });
  return made;
};
