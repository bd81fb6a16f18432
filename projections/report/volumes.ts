import { element, joined, type Markup } from '../markup.ts';
import { hasPicture, lineageSvg, verdictOf } from '../volumes/lineage-svg.ts';
import { turnText } from '../volumes/state-words.ts';
import type { Report, ReportedVolume } from './report.ts';

/** Turns that the head of the report lists at most. */
const MOST_TURNS = 50;
/** With more volumes than that, those that simply went on are folded. */
const OPEN_UP_TO = 16;

const isEventful = ({ past: { turns, marks } }: ReportedVolume): boolean => turns.length > 0 || marks.size > 0;

const figure = (volume: ReportedVolume, { tell }: Report): Markup =>
  element(
    'figure',
    { id: volume.anchor, class: hasPicture(volume) ? null : 'bare' },
    element(
      'figcaption',
      {},
      element('bdi', { class: 'name' }, volume.volume),
      element('span', { class: volume.past.turns.length > 0 ? 'back' : 'soft' }, verdictOf(volume)),
    ),
    hasPicture(volume) ? lineageSvg(volume, tell, { page: true }) : null,
  );

/** The lineage of every volume, machine by machine. */
export const volumePictures = (report: Report): Markup => {
  const byVm = new Map<string, ReportedVolume[]>();
  for (const volume of report.volumes) byVm.set(volume.vm, [...(byVm.get(volume.vm) ?? []), volume]);
  const open = report.volumes.length <= OPEN_UP_TO;
  const { volumesLeftOut, volumesWithoutDisk } = report;
  return joined([
    byVm.size === 0 ? element('p', { class: 'soft' }, 'No volume has had a disk yet.') : null,
    ...[...byVm].map(([vm, volumes]) =>
      element(
        'details',
        { class: 'vm', ...(open || volumes.some(isEventful) ? { open: 'open' } : {}) },
        element(
          'summary',
          {},
          element('bdi', {}, vm),
          element('span', { class: 'soft' }, volumes.map(({ volume }) => volume.slice(vm.length + 1)).join(', ')),
        ),
        ...volumes.map((volume) => figure(volume, report)),
      ),
    ),
    volumesLeftOut === 0
      ? null
      : element(
          'p',
          { class: 'soft' },
          `${volumesLeftOut} more volumes that changed less recently: domtrail lineage VM:VOLUME --svg draws each of them.`,
        ),
    volumesWithoutDisk.length === 0
      ? null
      : element(
          'p',
          { class: 'soft' },
          `Without a disk so far: ${volumesWithoutDisk.length} volumes, among them ${volumesWithoutDisk.slice(0, 12).join(', ')}.`,
        ),
  ]);
};

/** When did a volume go back in time: the question most people come with, answered first. */
export const turnsList = ({ volumes, tell }: Report): Markup => {
  const all = volumes
    .flatMap(({ volume, anchor, past: { turns } }) => turns.map((turn) => ({ volume, anchor, turn })))
    .sort((a, b) => b.turn.position - a.turn.position);
  if (all.length === 0) {
    return element('p', { class: 'soft' }, 'No volume shown here did: each state goes on from the one before it.');
  }
  const left = all.length - MOST_TURNS;
  return joined([
    element(
      'ol',
      { class: 'turns' },
      ...all.slice(0, MOST_TURNS).map(({ volume, anchor, turn }) => {
        const told = tell(turn.position);
        return element(
          'li',
          {},
          element('span', { class: 'soft' }, told?.when ?? ''),
          element(
            'span',
            {},
            element('a', { href: `#${anchor}` }, element('bdi', {}, volume)),
            element('bdi', { class: 'back' }, `↶ ${turnText(turn)}`),
            element('span', { class: 'soft' }, `${told?.command ?? '-'} by `, element('bdi', {}, told?.by ?? '-')),
            told?.reason ? element('bdi', { class: 'soft' }, `“${told.reason}”`) : null,
          ),
          element('span', { class: 'at soft' }, `ev:${turn.position}`),
        );
      }),
    ),
    left > 0 ? element('p', { class: 'soft' }, `and ${left} earlier ones, in the pictures below`) : null,
  ]);
};
