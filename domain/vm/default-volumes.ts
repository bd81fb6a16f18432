import type { VolumeKey, VolumeName } from '../names.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import type { VmClass } from './vm.ts';

const GIB = 2 ** 30;
const ROOT_BYTES = 10 * GIB;
const PRIVATE_BYTES = 2 * GIB;

export type VolumeShape = Pick<VolumeSpec, 'bytes' | 'rw' | 'snapOnStart' | 'saveOnStop'> & {
  readonly name: VolumeName;
  /** a fixed source; without one a snapshot volume starts from the same volume of the template */
  readonly source?: VolumeKey | null;
};

const shape = (name: string, bytes: number, flags: Omit<VolumeShape, 'name' | 'bytes'>): VolumeShape => ({
  name: name as VolumeName,
  bytes,
  ...flags,
});

const KEPT = { rw: true, snapOnStart: false, saveOnStop: true } as const;
const SNAPSHOT = { rw: true, snapOnStart: true, saveOnStop: false } as const;
const VOLATILE = { rw: true, snapOnStart: false, saveOnStop: false } as const;
const KERNEL = shape('kernel', 0, { rw: false, snapOnStart: false, saveOnStop: false });

const OWN_ROOT = [
  shape('root', ROOT_BYTES, KEPT),
  shape('private', PRIVATE_BYTES, KEPT),
  shape('volatile', ROOT_BYTES, VOLATILE),
  KERNEL,
];

/** The volumes every VM of a class has, in the order of the block devices xvda to xvdd (spec: storage 1.4). */
export const DEFAULT_VOLUMES: Readonly<Record<VmClass, readonly VolumeShape[]>> = {
  AdminVM: [],
  RemoteVM: [],
  TemplateVM: OWN_ROOT,
  StandaloneVM: OWN_ROOT,
  AppVM: [
    shape('root', ROOT_BYTES, SNAPSHOT),
    shape('private', PRIVATE_BYTES, KEPT),
    shape('volatile', ROOT_BYTES, VOLATILE),
    KERNEL,
  ],
  DispVM: [
    shape('root', ROOT_BYTES, SNAPSHOT),
    shape('private', PRIVATE_BYTES, SNAPSHOT),
    shape('volatile', ROOT_BYTES + PRIVATE_BYTES, VOLATILE),
    KERNEL,
  ],
};

export const DEFAULT_VOLUME_NAMES: ReadonlySet<string> = new Set(['root', 'private', 'volatile', 'kernel']);
