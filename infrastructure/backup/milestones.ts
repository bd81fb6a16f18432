import type { Written } from '../../domain/backup/archive.ts';
import type { VolumeKey } from '../../domain/names.ts';
import type { Interrupted } from './interrupted.ts';
import { type Mark, type MarkWriter, writeMarks } from './marks.ts';
import type { OuterArchive } from './outer-archive.ts';

/** Told how far a backup is, so that another process can go on from there. */
export type Milestones = {
  /** Header and qubes.xml are complete. `headerKey`: of the container that authenticates the header. */
  readonly begun: (headerKey: Buffer) => Promise<void>;
  /** One more file is, `path` in the backup. */
  readonly finished: (path: string, written: Written) => Promise<void>;
  readonly close: () => Promise<void>;
};

const nothing = async (): Promise<void> => undefined;

/** For a stream: what has gone out cannot be called back. */
export const NO_MILESTONES: Milestones = { begun: nothing, finished: nothing, close: nothing };

type Beginning = {
  readonly backupId: string;
  readonly taken: { readonly event: number; readonly time: string };
  readonly stamps: ReadonlyMap<VolumeKey, string>;
  /** null: of a backup that begins now */
  readonly interrupted: Interrupted | null;
};

/** Milestones as marks in a file: each is set only when what it tells of is on the disk. */
export const milestonesIn = async (
  path: string,
  outer: OuterArchive,
  { backupId, taken, stamps, interrupted }: Beginning,
): Promise<Milestones> => {
  const continued = interrupted && { headerKey: interrupted.headerKey, backupId };
  let marks: MarkWriter | null = interrupted && continued && (await writeMarks(path, continued, interrupted.marks));
  const add = async (
    what: Pick<Mark, 'path'> & ({ is: 'begun' } | { is: 'file'; written: Written }),
  ): Promise<void> => {
    const durable = await outer.settled();
    if (!durable || !marks) return;
    if (what.is === 'file') await marks.add({ ...what, ...durable });
    else await marks.add({ ...what, ...durable, taken, stamps: Object.fromEntries(stamps) });
  };
  return {
    begun: async (headerKey) => {
      marks = await writeMarks(path, { headerKey, backupId }, { count: 0, end: 0 });
      await add({ is: 'begun', path: 'qubes.xml' });
    },
    finished: (file, written) => add({ is: 'file', path: file, written }),
    close: async () => marks?.close(),
  };
};
