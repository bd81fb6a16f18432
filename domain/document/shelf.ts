import type { VmName } from '../names.ts';
import type { Vm } from '../vm/vm.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import type { Draft, Loading } from './draft.ts';

/** A volume while stock's storage is built: `source` is one of the same pool, perhaps only known by its id. */
export type Built = { readonly spec: VolumeSpec; readonly source: Source | null };
export type Source = { readonly vid: string; readonly built: Built | null };

/** The volumes made so far: by VM, and by pool and id as stock's pools find them. */
export type Shelf = { readonly byVm: Map<VmName, Map<string, Built>>; readonly byVid: Map<string, Built> };

export const emptyShelf = (): Shelf => ({ byVm: new Map(), byVid: new Map() });

export type Job = {
  readonly loading: Loading;
  readonly shelf: Shelf;
  readonly draft: Draft;
  readonly vm: Vm;
  readonly where: string;
};

export const onShelf = (pool: string, vid: string): string => JSON.stringify([pool, vid]);
