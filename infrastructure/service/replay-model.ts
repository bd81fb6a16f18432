import type { Renamed } from '../../domain/adoption/events.ts';
import { isArchive } from '../../domain/backup/archive.ts';
import type { Disk, DiskId, Place } from '../../domain/disk.ts';
import type { Recorded } from '../../domain/event.ts';
import { type Host, volumeOf } from '../../domain/host/host.ts';
import type { Breach, Invariant } from '../../domain/invariants/invariant.ts';
import { type Recording, recordingOf, watchFrom } from '../../domain/invariants/watch.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { isVolumeFact } from '../../domain/volume/evolve.ts';
import { currentOf } from '../../domain/volume/volume.ts';
import type { BoundDeed } from '../drivers/driver.port.ts';
import { CHUNK, readText } from '../drivers/lvm-model/content.ts';
import { brokenInvariants } from '../drivers/lvm-model/invariants.ts';
import { eventsBetween } from '../ledger/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type DiskDeed, isDomainDeed, isKeptDeed } from '../runner/bind-deed.ts';
import { bring, followDrift } from './model-drift.ts';
import {
  lvAt,
  lvFor,
  lvOfDisk,
  lyingIn,
  type ModelHost,
  modelHostOf,
  modelPlace,
  modelVolume,
  poolModel,
  standsFor,
} from './model-host.ts';
import type { Stretch } from './replay.ts';
import { type Begun, begunAt, isToldIn, startFor } from './replay-start.ts';

type Said = { readonly invariant: string; readonly says: string };
type Run = { readonly models: ModelHost; readonly host: Host; readonly committed: Map<VolumeKey, string> };

/** `steps` were carried out on the models; contents that came from files stand there as a marker. */
export type Modelled = {
  readonly start: Begun;
  readonly steps: number;
  readonly events: number;
  readonly breaches: readonly Breach[];
};

const MARKER = 48;

const contentOf = ({ models }: Run, pool: string, disk: DiskId): string => {
  const lv = lvOfDisk(models, pool, disk);
  const chunks = lv && poolModel(models, pool).model.state().kernel.devices.get(lv.thinId);
  return chunks?.has(0) ? readText(chunks, 0, Math.min(MARKER, CHUNK)).replace(/\0+$/, '') : '';
};

const mark = ({ models }: Run, pool: string, disk: DiskId, text: string): void => {
  const lv = lvOfDisk(models, pool, disk);
  if (lv?.active) poolModel(models, pool).model.writeAt(lv.name, 0, text.slice(0, MARKER).padEnd(MARKER, '\0'));
};

const isDiskDeed = (deed: Recording['deed']): deed is DiskDeed =>
  !isDomainDeed(deed) && !isKeptDeed(deed) && !isArchive(deed);

const placeIn = (deed: DiskDeed): Place => (deed.do === 'move' ? deed.from : deed.at);

/** The step's deed among the models; null where it leaves nothing there to see. */
const boundIn = ({ models }: Run, deed: DiskDeed, disk: Disk, originId: DiskId | null): BoundDeed | null => {
  switch (deed.do) {
    case 'create':
      return { ...deed, at: modelPlace(models, deed.at) };
    case 'snapshot': {
      if (originId === null) return null;
      const of = lvFor(models, { id: originId, bytes: disk.bytes }, deed.from);
      return { do: 'snapshot', of, from: modelPlace(models, deed.from), at: modelPlace(models, deed.at) };
    }
    case 'move': {
      const lv = lvFor(models, disk, deed.from);
      // Some roles share a name on LVM: nothing is renamed then.
      if (lvAt(models, deed.from) === lvAt(models, deed.to)) return null;
      return { do: 'move', disk: lv, from: modelPlace(models, deed.from), to: modelPlace(models, deed.to) };
    }
    case 'fill':
    case 'read':
      return null;
    default:
      return { ...deed, disk: lvFor(models, disk, deed.at), at: modelPlace(models, deed.at) };
  }
};

const fillOn = (run: Run, { deed, made }: Recording, disk: Disk, recorded: Recorded): void => {
  if (deed.do !== 'fill') return;
  const { from } = deed;
  const source = from.kind === 'disk' ? ('id' in from.disk ? from.disk.id : made(from.disk.madeBy)) : null;
  const text =
    from.kind === 'disk' && source ? contentOf(run, from.at.pool, source) : `filled at ev:${recorded.position}`;
  mark(run, deed.at.pool, disk.id, text);
};

/** What failed may have come as far as discarding: that is all that a failed step can leave. */
const failHalfWay = ({ models }: Run, { event, deed, disk }: Recording): void => {
  if (deed.do !== 'erase' || disk === null || event.evidence.argv.length === 0) return;
  const lv = lvOfDisk(models, deed.at.pool, disk);
  if (!lv) return;
  poolModel(models, deed.at.pool).model.discard(lv.name);
  models.erased.add(lv.uuid as DiskId);
};

const carryOut = async (run: Run, recording: Recording, recorded: Recorded): Promise<readonly Said[]> => {
  const { event, deed, made } = recording;
  if (event.type === 'StepFailed') failHalfWay(run, recording);
  if (!isDiskDeed(deed) || recording.disk === null || event.type === 'StepFailed') return [];
  const disk = event.disk ?? { id: recording.disk, bytes: 0 };
  if (deed.do === 'move' && recording.operation.name === 'RepairDrift') {
    bring(run.models, deed.to.pool, disk.id, lvAt(run.models, deed.to));
    return [];
  }
  const originId = deed.do === 'snapshot' ? ('id' in deed.of ? deed.of.id : made(deed.of.madeBy)) : null;
  const bound = boundIn(run, deed, disk, originId);
  fillOn(run, recording, disk, recorded);
  if (!bound) return [];
  const pool = poolModel(run.models, placeIn(deed).pool);
  const { failure } = await pool.driver.act({ command: recorded.command, step: event.n, deed: bound });
  if (failure) {
    return [{ invariant: 'steps-can-be-carried-out', says: `step ${event.n} (${event.words}): ${failure.message}` }];
  }
  const lv = deed.do === 'create' || deed.do === 'snapshot' ? pool.model.find(lvAt(run.models, deed.at)) : undefined;
  if (lv) standsFor(run.models, disk.id, lv.uuid as DiskId);
  return brokenInvariants(pool.model.state()).map((says) => ({ invariant: 'model-is-sound', says }));
};

/** Each running VM has written something of its own to what it was given. */
const guestsWrite = (run: Run, name: string, position: number): void => {
  const vm = run.host.vms.get(name as never);
  for (const volume of vm ? volumesOf(vm) : []) {
    const { situation, spec } = volume;
    if (spec.rw && situation.is === 'running') {
      mark(run, spec.pool, situation.session.disk.id, `${spec.key} written from ev:${position}`);
    }
    if (spec.rw && situation.is === 'direct') mark(run, spec.pool, situation.current.id, `written from ev:${position}`);
  }
};

/** What a volume's fact says about contents, held against the LVs; `session` is what the VM had written. */
const contentsAfter = (run: Run, recorded: Recorded, session: string | null): readonly Said[] => {
  const { event } = recorded;
  const volume = isVolumeFact(event) ? volumeOf(run.host, event.volume) : undefined;
  const current = volume && currentOf(volume);
  if (!volume || !current || !isVolumeFact(event)) return [];
  const { key, pool } = volume.spec;
  const before = run.committed.get(key);
  const now = contentOf(run, pool, current.id);
  run.committed.set(key, now);
  const said: Said[] = [];
  const kept = 'kept' in event ? event.kept : null;
  const back = kept ? contentOf(run, pool, kept.disk.id) : null;
  if (kept && before !== undefined && back !== before) {
    const says = `revision ${kept.id} holds ${JSON.stringify(back)}; what was committed before was ${JSON.stringify(before)}`;
    said.push({ invariant: 'back-is-the-previous-current', says });
  }
  if (event.type === 'SessionCommitted' && session !== null && now !== session) {
    const says = `what is committed holds ${JSON.stringify(now)}; the session wrote ${JSON.stringify(session)}`;
    said.push({ invariant: 'committed-is-the-session', says });
  }
  return said;
};

const sessionText = (run: Run, { event }: Recorded): string | null => {
  if (event.type !== 'SessionCommitted') return null;
  const volume = volumeOf(run.host, event.volume);
  if (!volume || !('session' in volume.situation)) return null;
  return contentOf(run, volume.spec.pool, volume.situation.session.disk.id);
};

const reidentify = (models: ModelHost, renamed: readonly Renamed[]): void => {
  for (const { was, now } of renamed) {
    const lv = models.lvs.get(was);
    if (lv) standsFor(models, now, lv);
  }
};

/** Events that bring disks to the log without a step, or give them another identity. */
const followFacts = (run: Run, { event, position }: Recorded): void => {
  const { models, host } = run;
  if (event.type === 'VolumeReidentified') reidentify(models, event.disks);
  if (event.type === 'DisksAccepted' || event.type === 'DiskLost') followDrift(models, host, event);
  if (event.type === 'DiskAdopted' || event.type === 'VolumeReidentified') {
    const volume = volumeOf(host, event.volume);
    if (volume) modelVolume(models, volume);
  }
  if (event.type === 'HostRebooted') for (const { model } of models.pools.values()) model.reboot();
  if (event.type === 'VmStarted') guestsWrite(run, event.vm, position);
};

/**
 * Carries the recorded steps of a stretch out on LVM models and holds the invariants against what lies there after each
 * event: not against what the facts or the plans say. The models begin with the disks that the log had before.
 */
export const replayOnModel = async (
  ledger: Ledger,
  { after, to }: Stretch,
  invariants: readonly Invariant[],
): Promise<Modelled> => {
  const start = startFor(ledger, after);
  const { host } = start;
  const run: Run = { models: modelHostOf(host), host, committed: new Map() };
  const watch = watchFrom(invariants, host, (volume) => lyingIn(run.models, volume));
  const names = new Set(invariants.map(({ name }) => name));
  const breaches: Breach[] = [];
  let steps = 0;
  let events = 0;
  for (const recorded of eventsBetween(ledger, start.after, to)) {
    const recording = recordingOf(host, recorded);
    const said = recording ? [...(await carryOut(run, recording, recorded))] : [];
    if (recording && recorded.position > after) steps++;
    const session = sessionText(run, recorded);
    const found = watch.follow(recorded);
    followFacts(run, recorded);
    said.push(...contentsAfter(run, recorded, session).filter(({ invariant }) => names.has(invariant)));
    const object = 'volume' in recorded.event ? recorded.event.volume : `cmd:${recorded.command}`;
    breaches.push(...found, ...said.map((one) => ({ ...one, object, recorded })));
    if (recorded.position > after) events++;
  }
  breaches.push(...watch.end());
  const told = breaches.filter(isToldIn(start, after)).sort((a, b) => a.recorded.position - b.recorded.position);
  return { start: begunAt(start), steps, events, breaches: told };
};
