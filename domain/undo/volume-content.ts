import { formatBytes } from '../bytes.ts';
import type { Disk, Place } from '../disk.ts';
import { holdVolume } from '../holds.ts';
import type { Pool } from '../pool/pool.ts';
import type { Vm } from '../vm/vm.ts';
import { CURRENT, type Planning, placeOf, swapIn } from '../volume/swap.ts';
import { currentOf, type Revision, type Volume } from '../volume/volume.ts';
import { contentOf } from './content.ts';
import { hold, refuse, type WayBack } from './way-back.ts';

/** Where a wanted content lies now: in a revision, or in the committed disk under what it has grown by. */
type Source = { readonly disk: Disk; readonly from: Place; readonly revision: Revision | null };

const revisionPlace = (volume: Volume, { number, at }: Revision): Place =>
  placeOf(volume, { kind: 'revision', number, at });

const sourceOf = (way: WayBack, volume: Volume, wanted: Disk): Source | null => {
  const is = contentOf(way.contents, wanted);
  const exact = volume.revisions.findLast(({ disk }) => contentOf(way.contents, disk) === is);
  // A disk only ever grows in place: its beginning is what it was.
  const grown = exact ?? volume.revisions.find(({ disk }) => disk.id === wanted.id && disk.bytes > wanted.bytes);
  if (grown) return { disk: grown.disk, from: revisionPlace(volume, grown), revision: grown };
  const current = currentOf(volume);
  if (!current || current.id !== wanted.id || current.bytes < wanted.bytes) return null;
  return { disk: current, from: placeOf(volume, CURRENT), revision: null };
};

type Copying = { readonly volume: Volume; readonly past: Volume; readonly wanted: Disk; readonly source: Source };

/** A copy of the wanted content takes the place of the committed disk, which is kept as a revision. */
const bringBack = (way: WayBack, { volume, past, wanted, source }: Copying, planning: Planning): void => {
  const { builder } = way;
  const { key } = volume.spec;
  const at = placeOf(volume, { kind: 'incoming', position: builder.freshPosition() });
  const copy = builder.main(key, { do: 'snapshot', of: { id: source.disk.id }, from: source.from, at });
  const cut = source.disk.bytes > wanted.bytes;
  const { bytes } = wanted;
  const made = cut ? builder.main(key, { do: 'resize', disk: { madeBy: copy }, at, bytes, shrink: true }) : copy;
  const kept = swapIn(volume, { ref: { madeBy: made }, from: at }, planning);
  const current = { madeBy: made };
  if (!source.revision) {
    builder.fact({ type: 'VolumeResized', volume: key, bytes: past.spec.bytes, disk: current, kept });
    way.lost.push(`${key} is cut to ${formatBytes(bytes)}; all of it stays as a revision`);
    return;
  }
  builder.fact({ type: 'VolumeReverted', volume: key, to: source.revision.id, current, kept });
  sizeBack(way, volume, past);
};

/** The size asked for, where it is not that of the disk's last resize any more. */
const sizeBack = ({ builder }: WayBack, { spec }: Volume, past: Volume): void => {
  if (spec.bytes === past.spec.bytes) return;
  builder.fact({ type: 'VolumeResized', volume: spec.key, bytes: past.spec.bytes, disk: null, kept: null });
};

/** Whether a volume can take another content now; says why not. */
const mayReplace = (way: WayBack, vm: Vm, { spec, situation }: Volume): boolean => {
  const { key } = spec;
  const before = way.refused.length;
  if (vm.power.is !== 'halted') {
    refuse(way, `${key} is in use by ${vm.name}, which is running`, `domtrail vm stop ${vm.name}`);
  } else if (situation.is === 'dirty') {
    refuse(way, `${key} holds an interrupted session`, `domtrail volume commit ${key}   or   volume discard ${key}`);
  } else if (spec.revisionsToKeep <= 0) {
    const next = `domtrail volume set ${key} revisions_to_keep=1`;
    refuse(way, `${key} keeps no revisions, so what it holds now would go`, next);
  }
  return way.refused.length === before;
};

/** Gives a volume the committed content it had. What it holds now becomes a revision; none is retired. */
export const contentBack = (way: WayBack, vm: Vm, volume: Volume, past: Volume): void => {
  const [wanted, has] = [currentOf(past), currentOf(volume)];
  const { key } = volume.spec;
  if (!wanted && has && past.spec.saveOnStop) way.lost.push(`${key} had no disk; it keeps the one it has`);
  if (!past.spec.saveOnStop || !wanted || !has) return;
  if (way.contents.written.includes(wanted.id)) {
    way.lost.push(`what ${key} held was written over (revisions_to_keep=-1)`);
    return;
  }
  if (contentOf(way.contents, wanted) === contentOf(way.contents, has)) return;
  const source = sourceOf(way, volume, wanted);
  if (!source) {
    refuse(way, `the state that ${key} had is gone: retention has let it go`, `domtrail lineage ${key}`);
    return;
  }
  if (!mayReplace(way, vm, volume)) return;
  const pool = way.host.pools.get(volume.spec.pool) as Pool;
  const planning: Planning = { builder: way.builder, context: way.context, pool, retainsAll: true };
  bringBack(way, { volume, past, wanted, source }, planning);
  hold(way, ...holdVolume(vm.name, key));
};
