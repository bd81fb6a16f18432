import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Arguments } from '../infrastructure/cli/arguments.ts';
import { talk } from '../infrastructure/cli/output.ts';
import { localTime } from '../infrastructure/cli/text.ts';
import type { BackupFile } from '../infrastructure/restore/backup-file.ts';
import type { Survey } from '../infrastructure/restore/read-through.ts';
import { type HomeInBackup, homeIn, restoreHome } from '../infrastructure/restore/restore-home.ts';
import { usualHome } from './dom0-home.ts';

export const DOM0 = 'dom0';

/** The directory dom0's home goes into, where it was asked for by name. */
export type HomeWanted = HomeInBackup & { readonly into: string };

export const homeWanted = (
  survey: Survey,
  args: Arguments,
  names: readonly string[],
): Result<HomeWanted | null, Failure> => {
  const found = homeIn(survey);
  if (!names.includes(DOM0)) {
    if (found.ok && found.value) talk("note: dom0's home is in the backup; it is restored when dom0 is named\n");
    return ok(null);
  }
  if (!found.ok) return found;
  if (!found.value) return err(failure('D_NOT_FOUND', "the backup has no home of dom0's"));
  const given = args.text('home-to');
  const stamp = localTime(Date.now()).replace(' ', '-').replaceAll(':', '');
  const into = given ?? join(usualHome() ?? '.', `home-restore-${stamp}`);
  if (existsSync(into))
    return err(failure('D_EXISTS', `${into} is there already`, { next: 'give another directory with --home-to' }));
  return ok({ ...found.value, into: resolve(into) });
};

/** What became of it. */
export type HomeRestored = { readonly into: string; readonly lacks: string | null; readonly problem: string | null };

export const withHome = async (file: BackupFile, wanted: HomeWanted | null): Promise<HomeRestored | null> => {
  if (!wanted) return null;
  const { into, lacks } = wanted;
  const restored = await restoreHome(file, into);
  if (restored.ok) return { into, lacks, problem: null };
  const { message, cause } = restored.error;
  return { into, lacks, problem: cause ? `${message}: ${cause}` : message };
};

export const homeRow = ({ into, lacks, problem }: HomeRestored): readonly string[] => [
  DOM0,
  problem === null ? into : '-',
  'home',
  '-',
  problem === null ? (lacks === null ? 'restored' : `restored; ${lacks}`) : `! ${problem}`,
];
