import { formatBytes } from '../../domain/bytes.ts';
import { counted } from '../../domain/counted.ts';
import { escapeText, localTime } from './text.ts';
import type { volumeItem } from './views.ts';

type Item = ReturnType<typeof volumeItem>;

const yes = (flag: boolean): string => (flag ? 'yes' : 'no');

/** One volume as a page. */
export const volumeInfoText = (item: Item): string => {
  const lines: readonly (readonly [string, string])[] = [
    ['volume', `${item.vm}:${item.name}`],
    ['state', item.state + (item.outdated ? ' (the source has moved on; restart to follow)' : '')],
    ['size', `${formatBytes(item.size)} (${item.size} B)`],
    ['pool', `${item.pool} ${item.vid}`],
    ['writable', yes(item.rw)],
    [
      'starts from',
      item.snapOnStart ? (item.source ?? '-') : item.saveOnStop ? 'its own committed state' : 'an empty disk',
    ],
    ['kept at stop', yes(item.saveOnStop)],
    ['keeps', item.revisionsToKeep === -1 ? 'no snapshots (-1)' : counted(item.revisionsToKeep, 'revision')],
    ['disk', item.disk ?? '-'],
    ['committed', item.committedPath ?? '-'],
    ['in use', item.runtimePath ?? '-'],
  ];
  const revisions = item.revisions.map((revision) => {
    const pinned = revision.pinned ? '  pinned' : '';
    return `  ${revision.id}  ${localTime(Date.parse(revision.time))}  ev:${revision.position}  ${revision.disk}${pinned}`;
  });
  const width = Math.max(...lines.map(([name]) => name.length));
  const page = lines.map(([name, value]) => `${name.padEnd(width)}  ${escapeText(value)}`);
  return `${[...page, `revisions${revisions.length === 0 ? '  none' : ''}`, ...revisions].join('\n')}\n`;
};
