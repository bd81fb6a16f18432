import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Entry, parseConfigText, type Section } from './config-text.ts';

/**
 * One file of LVM's archive or backup: what a volume group was before (or after) a command. `time` in epoch seconds by the
 * host's clock then; `seqno` counts the changes of the group. Written by anyone who is root: testimony, not proof.
 */
export type ArchiveEntry = {
  readonly volumeGroup: string;
  readonly seqno: number;
  readonly time: number;
  readonly host: string;
  readonly when: 'before' | 'after';
  readonly commandLine: string;
  /** names by UUID */
  readonly volumes: ReadonlyMap<string, string>;
};

const DESCRIPTION = /^Created \*(before|after)\* executing '(.*)'$/s;

const isSection = (entry: Entry | undefined): entry is Section => entry instanceof Map;

const textOf = (section: Section, key: string): string | null => {
  const entry = section.get(key);
  return typeof entry === 'string' ? entry : null;
};

const wholeOf = (section: Section, key: string): number | null => {
  const entry = section.get(key);
  return Number.isSafeInteger(entry) ? (entry as number) : null;
};

const volumesOf = (group: Section): ReadonlyMap<string, string> => {
  const volumes = group.get('logical_volumes');
  if (!isSection(volumes)) return new Map();
  return new Map(
    [...volumes].flatMap(([name, volume]) => {
      const uuid = isSection(volume) ? textOf(volume, 'id') : null;
      return uuid === null ? [] : [[uuid, name] as const];
    }),
  );
};

/** Reads one such file's text (spec: lvm-history §1). D_BAD_INPUT when it is none. */
export const archiveEntryOf = (text: string): Result<ArchiveEntry, Failure> => {
  const parsed = parseConfigText(text);
  if (!parsed.ok) return parsed;
  const groups = [...parsed.value].flatMap(([name, entry]) => (isSection(entry) ? [{ name, entry }] : []));
  const [group] = groups;
  if (!group || groups.length > 1) return err(failure('D_BAD_INPUT', 'it describes no single volume group'));
  const seqno = wholeOf(group.entry, 'seqno');
  const time = wholeOf(parsed.value, 'creation_time');
  const description = textOf(parsed.value, 'description');
  if (seqno === null || time === null || description === null)
    return err(failure('D_BAD_INPUT', 'it lacks a seqno, a time or a description'));
  const [, when = 'before', commandLine = description] = DESCRIPTION.exec(description) ?? [];
  return ok({
    volumeGroup: group.name,
    seqno,
    time,
    host: textOf(parsed.value, 'creation_host') ?? '',
    when: when === 'after' ? 'after' : 'before',
    commandLine,
    volumes: volumesOf(group.entry),
  });
};
