import { holdVolume } from '../holds.ts';
import type { Vm } from '../vm/vm.ts';
import { asideAll } from '../volume/aside.ts';
import { currentOf, type Volume } from '../volume/volume.ts';
import { contentOf } from './content.ts';
import { volumeReturns } from './returning.ts';
import { contentBack } from './volume-content.ts';
import { specBack } from './volume-spec.ts';
import { hold, refuse, type WayBack } from './way-back.ts';

const pinsBack = (way: WayBack, vm: Vm, volume: Volume, past: Volume): void => {
  const { key } = volume.spec;
  for (const { id, disk, pinned } of past.revisions) {
    const now = volume.revisions.find((one) => one.id === id && one.disk.id === disk.id);
    if (!now || now.pinned === pinned) continue;
    way.builder.fact({ type: 'RevisionPinned', volume: key, id, pinned });
    hold(way, ...holdVolume(vm.name, key));
  }
};

/** Revisions that went, where their content is nowhere else. */
const tellRevisions = (way: WayBack, volume: Volume, past: Volume): void => {
  const current = currentOf(volume);
  const disks = [...volume.revisions.map(({ disk }) => disk), ...(current ? [current] : [])];
  const held = new Set(disks.map((disk) => contentOf(way.contents, disk)));
  for (const { id, disk } of past.revisions) {
    if (!held.has(contentOf(way.contents, disk))) way.lost.push(`revision ${id} of ${volume.spec.key} is gone`);
  }
};

const tellSession = (way: WayBack, { spec, situation }: Volume, past: Volume): void => {
  const [is, was] = [situation.is === 'dirty', past.situation.is === 'dirty'];
  if (was && !is) way.lost.push(`the interrupted session of ${spec.key} is no longer open`);
  if (is && !was) way.lost.push(`the interrupted session of ${spec.key} waits for volume commit or volume discard`);
};

const volumeBack = (way: WayBack, vm: Vm, volume: Volume, past: Volume): void => {
  specBack(way, vm, volume, past.spec);
  // What it keeps from now on counts already for what this operation replaces.
  const { revisionsToKeep } = past.spec;
  const before = way.builder.size();
  contentBack(way, vm, { ...volume, spec: { ...volume.spec, revisionsToKeep } }, past);
  if (way.builder.size() > before) tellRevisions(way, volume, past);
  pinsBack(way, vm, volume, past);
  tellSession(way, volume, past);
};

const volumeGoes = (way: WayBack, vm: Vm, volume: Volume): void => {
  const { key } = volume.spec;
  const pinned = volume.revisions.find((revision) => revision.pinned);
  if (pinned) refuse(way, `revision ${pinned.id} of ${key} is pinned`, `domtrail volume unpin ${key} ${pinned.id}`);
  if (vm.power.is !== 'halted') refuse(way, `${vm.name} is running`, `domtrail vm stop ${vm.name}`);
  asideAll(way.builder, volume);
  way.builder.fact({ type: 'VolumeRemoved', volume: key });
  hold(way, ...holdVolume(vm.name, key));
};

const volumeComes = (way: WayBack, vm: Vm, past: Volume): void => {
  if (vm.power.is !== 'halted') refuse(way, `${vm.name} is running`, `domtrail vm stop ${vm.name}`);
  way.builder.fact({ type: 'VolumeAdded', volume: past.spec.key, spec: past.spec });
  volumeReturns(way, past);
  hold(way, ...holdVolume(vm.name, past.spec.key));
};

/** The volumes of a VM as they were, or only the one asked for. */
export const volumesBack = (way: WayBack, now: Vm, past: Vm, only: string | null): void => {
  for (const name of new Set([...Object.keys(now.volumes), ...Object.keys(past.volumes)])) {
    const volume = now.volumes[name as keyof Vm['volumes']];
    const then = past.volumes[name as keyof Vm['volumes']];
    const key = (volume ?? then)?.spec.key;
    if (only !== null && only !== key) continue;
    if (volume && then) volumeBack(way, now, volume, then);
    else if (volume) volumeGoes(way, now, volume);
    else if (then) volumeComes(way, now, then);
  }
};
