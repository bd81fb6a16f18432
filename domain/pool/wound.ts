import type { DiskId } from '../disk.ts';

/**
 * What a crash may leave wrong with an LVM pool itself, so that no step may run before it is mended:
 * - wedged: the kernel made a disk and does not know that it counts; LVM fails at every command that follows. The disk is
 *   whole, with the content of the moment it was made at
 * - phantom: a disk is listed and was never made; LVM's next command would make it, with its origin's content of then
 * - torn: LVM's description of the volume group is damaged, so that nothing of it can be seen; nothing of it is lost
 */
export type PoolWound =
  | {
      readonly is: 'wedged';
      readonly name: string;
      readonly disk: DiskId;
      /** transaction ids: LVM's, and the kernel's, which is one behind */
      readonly lvm: number;
      readonly kernel: number;
    }
  | { readonly is: 'phantom'; readonly name: string; readonly disk: DiskId }
  | { readonly is: 'torn'; readonly volumeGroup: string };

/** In one clause, for the log and for people. */
export const wordsOfWound = (wound: PoolWound): string => {
  switch (wound.is) {
    case 'wedged':
      return `a crash came between making ${wound.name} and counting it (transaction ${wound.kernel} to ${wound.lvm})`;
    case 'phantom':
      return `a crash came before ${wound.name} was made, and LVM lists it already`;
    case 'torn':
      return `a power cut damaged LVM's description of volume group ${wound.volumeGroup}`;
  }
};

export const wordsOfMending = (wound: PoolWound): string => {
  switch (wound.is) {
    case 'wedged':
      return `${wound.name} counts now, as it was made`;
    case 'phantom':
      return `${wound.name} is no longer listed`;
    case 'torn':
      return `volume group ${wound.volumeGroup} is restored from the newest whole copy on its disk`;
  }
};
