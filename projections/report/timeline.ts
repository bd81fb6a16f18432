import { element, joined, type Markup } from '../markup.ts';
import type { Clock, Report, ReportCommand } from './report.ts';

const OUTCOMES: Readonly<Record<ReportCommand['outcome'], string | null>> = {
  accepted: '… not ended',
  completed: null,
  rejected: '! refused',
  failed: '✕ failed',
  abandoned: '✕ taken back',
};

/** A moment as people read it, and exactly for programs. */
export const moment = (clock: Clock, ms: number): Markup =>
  element('time', { datetime: clock.iso(ms) }, `${clock.day(ms)} ${clock.time(ms)}`);

const span = (first: number, last: number): string => (last > first ? `ev:${first}–${last}` : `ev:${first}`);

const line = (command: ReportCommand, clock: Clock): Markup => {
  const { name, object, by, reason, outcome, failure, first, last, received, id } = command;
  const word = OUTCOMES[outcome];
  return element(
    'li',
    { class: word === null ? null : outcome, id: `ev-${first}`, title: `cmd:${id}` },
    element('time', { datetime: clock.iso(received) }, clock.time(received)),
    element(
      'span',
      {},
      word === null ? null : element('b', { class: 'word' }, word),
      element('b', {}, name),
      object === '' ? null : element('bdi', {}, object),
      element('span', { class: 'soft' }, 'by ', element('bdi', {}, by)),
      reason === null ? null : element('bdi', { class: 'soft' }, `“${reason}”`),
      failure === null ? null : element('bdi', { class: 'why' }, `${failure.code}: ${failure.message}`),
    ),
    element('span', { class: 'at soft' }, span(first, last)),
  );
};

/** What was asked of the host, the newest day first and the newest in it, one line a command. */
export const timeline = ({ commands, clock }: Report): Markup => {
  const days = new Map<string, ReportCommand[]>();
  for (const command of commands.toReversed()) {
    const day = clock.day(command.received);
    const known = days.get(day);
    if (known) known.push(command);
    else days.set(day, [command]);
  }
  if (days.size === 0) return element('p', { class: 'soft' }, 'No command was given in this time.');
  return joined(
    [...days].map(([day, some]) =>
      element(
        'section',
        { class: 'day' },
        element(
          'h3',
          {},
          day,
          element('span', { class: 'soft' }, some.length === 1 ? '1 command' : `${some.length} commands`),
        ),
        element('ol', { class: 'commands' }, ...some.map((command) => line(command, clock))),
      ),
    ),
  );
};
