import type { Archive, Written } from '../domain/backup/archive.ts';
import { formatBytes } from '../domain/bytes.ts';
import type { DiskId } from '../domain/disk.ts';
import { type Failure, failure } from '../domain/failure.ts';
import type { Shown } from '../infrastructure/cli/change.ts';
import { lineWidth, talk } from '../infrastructure/cli/output.ts';
import { escapeText, table, utcTime } from '../infrastructure/cli/text.ts';
import { timeOf } from '../infrastructure/ledger/queries.ts';
import type { Service } from '../infrastructure/service/service.ts';
import { writtenBy } from '../infrastructure/service/written.ts';
import { diskById } from '../projections/volumes/volumes.ts';

/** When a disk became what is committed, as far as the log knows. */
export const committedAt = (service: Service, disk: DiskId) => {
  const event = diskById(service.ledger.sql, disk)?.committed ?? null;
  const time = event === null ? null : timeOf(service.ledger, event);
  return event === null || time === null ? null : { event, time: utcTime(time) };
};

const rowOf = (one: Written): readonly string[] => [
  one.vm,
  one.file,
  formatBytes(one.bytes),
  one.problem === null ? one.digest.slice(0, 12) : '-',
  one.problem === null ? 'ok' : `! ${one.problem}`,
];

type Item = ReturnType<typeof itemOf>;

const itemOf = (service: Service, archive: Archive, written: readonly Written[]) => ({
  file: archive.to.kind === 'file' ? archive.to.path : null,
  backupId: archive.backup,
  ok: written.every(({ problem }) => problem === null),
  vms: archive.vms.map(({ vm, running, volumes }) => ({
    name: vm,
    running,
    files: written
      .filter((one) => one.vm === vm)
      .map((one) => {
        const disk = volumes.find(({ volume }) => volume === one.volume)?.committed.id ?? null;
        const committed = disk === null ? null : committedAt(service, disk);
        const { file: name, bytes: size, stored, digest, chunks, durationMs, problem } = one;
        return {
          name,
          size,
          stored,
          digest: problem === null ? digest : null,
          chunks,
          durationMs,
          problem,
          disk,
          committed,
        };
      }),
  })),
});

const asOfLines = ({ vms }: Item): readonly string[] =>
  vms
    .filter(({ running }) => running)
    .flatMap(({ name, files }) =>
      files.flatMap(({ name: file, committed }) =>
        committed
          ? [`${name} is running: ${file} is as it was committed at ${committed.time} (ev:${committed.event})`]
          : [],
      ),
    );

const problemOf = ({ vms }: Item): Failure | null => {
  const bad = vms.flatMap(({ name, files }) =>
    files.flatMap((one) => (one.problem === null ? [] : [`${name}: ${one.name}: ${one.problem}`])),
  );
  return bad.length === 0
    ? null
    : failure('D_INCOMPLETE', 'not everything could be backed up', { cause: bad.join('\n') });
};

/** A backup as its command tells of it, from the log. What went to standard output is told on stderr. */
export const shownBackup = (service: Service, id: string): Shown => {
  const found = writtenBy(service.ledger, id);
  if (!found) return { text: '', fields: {} };
  const item = itemOf(service, found.archive, found.written);
  const where = item.file ?? 'standard output';
  const lines = [
    table(['VM', 'FILE', 'SIZE', 'DIGEST', 'STATE'], found.written.map(rowOf), lineWidth()),
    ...asOfLines(item).map((line) => `${escapeText(line)}\n`),
    ...found.notes.map((note) => `note: ${escapeText(note)}\n`),
    `${item.ok ? '' : '! not whole: '}${escapeText(where)}, backup ${item.backupId}\n`,
  ];
  const text = lines.join('');
  const problem = problemOf(item);
  if (item.file !== null) return { text, fields: { ...item, notes: found.notes }, problem };
  talk(text);
  return { text: '', fields: {}, problem };
};
