import type { VolumeSpec } from '../../domain/volume/volume.ts';

type Where = Pick<VolumeSpec, 'vid' | 'bytes'> & { readonly pool: string };

/** A volume that is kept at stop and starts from nothing, unless `more` says otherwise. */
export const volumeSpec = (
  vm: string,
  name: string,
  { pool, vid, bytes }: Where,
  more: Partial<VolumeSpec> = {},
): VolumeSpec => ({
  key: `${vm}:${name}` as never,
  name: name as never,
  pool: pool as never,
  vid,
  bytes,
  rw: true,
  snapOnStart: false,
  saveOnStop: true,
  revisionsToKeep: 1,
  source: null,
  ephemeral: null,
  ...more,
});
