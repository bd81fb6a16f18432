import type { Archive, Written } from '../../domain/backup/archive.ts';
import type { Evidence } from '../../domain/command/events.ts';
import type { Failure } from '../../domain/failure.ts';
import type { VolumeKey } from '../../domain/names.ts';
import type { Result } from '../../domain/result.ts';
import type { Progress } from '../drivers/driver.port.ts';
import type { Image } from '../drivers/image.ts';

/** What an archiver did: the files, and the evidence of it. */
export type Archived = { readonly written: readonly Written[]; readonly evidence: Evidence };

/**
 * The hands that make a backup, with the passphrase in them: only the command that was asked for one has them. Whatever
 * fails leaves no file behind.
 */
export type Archiver = (
  archive: Archive,
  images: ReadonlyMap<VolumeKey, Image>,
  progress: Progress,
) => Promise<Result<Archived, Failure>>;
