import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { BackedUpVm } from '../backup/contents.ts';
import type { BackupHeader } from '../backup/header.ts';
import { type BackupReport, verifyBackup } from '../backup/verify.ts';
import type { BackupFile } from './backup-file.ts';

/** What is known of a backup once it was read to its end. `small`: contents of small files, by `vm1/firewall.xml`. */
export type Survey = {
  readonly header: BackupHeader;
  readonly vms: readonly BackedUpVm[];
  readonly report: BackupReport;
  readonly small: ReadonlyMap<string, Buffer>;
};

/** Reads the whole backup and changes nothing: what will be restored is known and proven before the first change. */
export const readThrough = async (
  backup: BackupFile,
  onArchive: (path: string) => void,
): Promise<Result<Survey, Failure>> => {
  const opened = await backup.open();
  if (!opened.ok) return opened;
  const { header, vms, close } = opened.value;
  const small = new Map<string, Buffer>();
  try {
    const report = await verifyBackup(opened.value, {
      onArchive,
      onSmallFile: (vm, name, content) => small.set(`${vm}/${name}`, content),
    });
    return ok({ header, vms, report, small });
  } finally {
    close();
  }
};
