import type { Disk, DiskId } from '../disk.ts';
import type { Recorded } from '../event.ts';
import { type Host, volumeOf } from '../host/host.ts';

/** What a disk holds, as far as the log can tell: two disks of one content name were never written to apart. */
export type ContentName = string;

const nameOf = (id: DiskId, bytes: number): ContentName => `${id}@${bytes}`;

/**
 * What is known about the contents of disks after a stretch of the log. `copies` lists disks that were made as copies and
 * what they are copies of; disks in `written` were given to a VM to write on directly, so their names tell nothing.
 */
export type Contents = {
  readonly copies: readonly (readonly [copy: ContentName, of: ContentName])[];
  readonly written: readonly DiskId[];
};

/** The name of a disk's content, the same for a disk and its untouched copies. */
export const contentOf = ({ copies }: Contents, { id, bytes }: Disk): ContentName => {
  const name = nameOf(id, bytes);
  return copies.find(([copy]) => copy === name)?.[1] ?? name;
};

export type ContentWatch = {
  /** To be told of every event, with the state after it. */
  readonly follow: (host: Host, recorded: Recorded) => void;
  readonly contents: () => Contents;
};

/** Follows a fold and keeps what it tells about copies. A committed disk is never written to, except directly. */
export const watchContents = (): ContentWatch => {
  const copies = new Map<ContentName, ContentName>();
  const written = new Set<DiskId>();
  const isCopy = (copy: Disk, of: DiskId): void => {
    // Cut to a size the original once had, a copy holds what the original held then.
    const original = nameOf(of, copy.bytes);
    copies.set(nameOf(copy.id, copy.bytes), copies.get(original) ?? original);
  };
  return {
    follow: (host, { event }) => {
      switch (event.type) {
        case 'VolumeReverted': {
          const from = volumeOf(host, event.volume)?.revisions.find(({ id }) => id === event.to);
          if (from) isCopy(event.current, from.disk.id);
          return;
        }
        case 'VolumeResized':
          if (event.disk && event.kept) isCopy(event.disk, event.kept.disk.id);
          return;
        case 'DirectOpened': {
          const situation = volumeOf(host, event.volume)?.situation;
          if (situation?.is === 'direct') written.add(situation.current.id);
          return;
        }
        default:
      }
    },
    contents: () => ({ copies: [...copies], written: [...written] }),
  };
};
