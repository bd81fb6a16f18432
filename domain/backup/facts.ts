import type { Fact } from '../event.ts';
import { type Host, volumeOf } from '../host/host.ts';
import { type Archive, type ArchivedVolume, backupName, type Written } from './archive.ts';

const ofVolume = (archive: Archive, { volume, committed }: ArchivedVolume, written: readonly Written[]): Fact => {
  const one = written.find((file) => file.volume === volume);
  const named = { volume, backup: backupName(archive.to), backupId: archive.backup, disk: committed };
  if (!one || one.problem !== null)
    return { type: 'VolumeBackupFailed', ...named, problem: one?.problem ?? 'it was not written' };
  const { bytes, stored, digest, chunks, durationMs } = one;
  return { type: 'VolumeBackedUp', ...named, bytes, stored, digest, chunks, durationMs };
};

/**
 * What holds once a backup is whole and has its name: a fact for each volume and each VM that is still there. A snapshot does
 * not keep its VM from being removed meanwhile.
 */
export const factsOfArchive = (host: Host, archive: Archive, written: readonly Written[]): readonly Fact[] =>
  archive.vms.flatMap((vm): readonly Fact[] => {
    if (!host.vms.has(vm.vm)) return [];
    const own = written.filter((file) => file.vm === vm.vm);
    const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
    const whole = own.every(({ problem }) => problem === null);
    const backup = backupName(archive.to);
    return [
      ...vm.volumes.filter(({ volume }) => volumeOf(host, volume)).map((volume) => ofVolume(archive, volume, written)),
      { type: 'VmBackedUp', vm: vm.vm, backup, backupId: archive.backup, files: own.length, bytes, whole },
    ];
  });
