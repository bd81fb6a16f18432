import type { Mark, Turn } from './turns.ts';
import type { DiskRow } from './volumes.ts';

/** How a state came about, where that is not the usual way; '' for that. */
export const howText = ({ how, source }: DiskRow): string => {
  switch (how) {
    case 'VolumeImported':
      return `imported from ${source === '-' ? 'standard input' : source}`;
    case 'VolumeRestored':
      return 'restored from a backup';
    case 'VolumeCloned':
      return `cloned from ${source}`;
    case 'VolumeReverted':
      return `reverted to ${source}`;
    case 'VolumeResized':
      return 'cut to a smaller size';
    case 'SessionCheckpointed':
      return 'while it was running';
    case 'DiskAdopted':
      return 'adopted';
    case 'DisksAccepted':
      return 'found there and accepted';
    default:
      return '';
  }
};

const MARKS: Readonly<Record<Mark['is'], string>> = {
  crash: 'crash at',
  resumed: 'resumed at',
  recovered: 'recovered at',
};

export const markText = ({ is, position }: Mark): string => `${MARKS[is]} ev:${position}`;

/** A state that is there, in a few words; the marks tell what befell it. */
export const stateText = (row: DiskRow, marks: readonly Mark[] = []): string => {
  const more = [howText(row), ...marks.map(markText)].map((part) => (part === '' ? '' : `, ${part}`)).join('');
  switch (row.role) {
    case 'session':
      return `session, not committed${more}`;
    case 'scratch':
      return `volatile${more}`;
    case 'direct':
      return `committed, written without a snapshot${more}`;
    case 'revision':
      return `revision ${row.revision}${row.pinned ? ', pinned' : ''}${more}`;
    default:
      return `committed${more}`;
  }
};

const ENDED: Readonly<Record<string, string>> = {
  retention: 'removed by retention',
  'not-kept': 'not kept',
  superseded: 'superseded',
  discarded: 'thrown away',
  removed: 'removed with the volume',
  leftover: 'a leftover of stock Qubes',
  undone: 'of a command that was undone',
  lost: 'lost',
  replaced: 'replaced by somebody else',
};

/** How a state that is no longer there ended. */
export const endText = ({ why, role }: DiskRow): string => {
  const end = ENDED[why ?? ''] ?? 'gone';
  return role === 'trash' ? `${end}, still in the trash` : end;
};

/** A state that is gone or in the trash, by what it was. */
export const pastText = (row: DiskRow): string => {
  const was = row.committed === null ? 'session' : row.revision === null ? 'state' : `revision ${row.revision}`;
  return [was, howText(row), endText(row)].filter((part) => part !== '').join(', ');
};

/** A turn as the sentence that answers "when did it go back in time". */
export const turnText = ({ is, to }: Turn): string => {
  switch (is) {
    case 'reverted':
      return `reverted to revision ${to}`;
    case 'imported':
      return `replaced by an import from ${to === '-' ? 'standard input' : to}`;
    case 'cloned':
      return `replaced by a clone of ${to}`;
    case 'discarded':
      return 'a session was thrown away';
    case 'replaced':
      return `another disk was found there and accepted (${to})`;
  }
};
