import { createHash } from 'node:crypto';
import type { Recorded } from '../../domain/event.ts';
import { wordsOf } from '../../domain/words.ts';
import { element, empty, joined, literally, type Markup } from '../markup.ts';
import { LINEAGE_STYLE } from '../volumes/lineage-style.ts';
import { REPORT_STYLE } from './page-style.ts';
import { poolUsage } from './pool-usage.ts';
import type { Report, ReportCommand } from './report.ts';
import { moment, timeline } from './timeline.ts';
import { type Trouble, troublesOf } from './troubles.ts';
import { turnsList, volumePictures } from './volumes.ts';

const STYLE = `${REPORT_STYLE}${LINEAGE_STYLE}`;

/** Nothing is loaded and nothing runs: the one style sheet is named by its digest. */
const policy = (): string => {
  const digest = createHash('sha256').update(STYLE).digest('base64');
  return `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
};

/** Digits in threes, the same in every locale. */
const number = (n: number): string => `${n}`.replace(/\B(?=(?:\d{3})+$)/g, '\u202f');
const count = (n: number, one: string): string => `${number(n)} ${one}${n === 1 ? '' : 's'}`;

const fact = (name: string, value: Markup | string): Markup =>
  element('div', {}, element('dt', {}, name), element('dd', {}, value));

const extent = ({ after, upTo, position }: Report): string => {
  const before = after === 0 ? '' : `; ${count(after, 'older event')} left out`;
  const later = upTo === position ? '' : `; ${count(position - upTo, 'later event')} left out`;
  return upTo === after ? `none${before}${later}` : `ev:${after + 1} to ev:${upTo}${before}${later}`;
};

const OUTCOMES = [
  ['completed', 'completed'],
  ['rejected', 'refused'],
  ['failed', 'failed'],
  ['abandoned', 'taken back'],
  ['accepted', 'not ended'],
] as const;

const outcomes = (commands: readonly ReportCommand[]): string => {
  const words = OUTCOMES.flatMap(([outcome, word]) => {
    const some = commands.filter((command) => command.outcome === outcome).length;
    return some === 0 ? [] : [`${number(some)} ${word}`];
  });
  return words.length === 0 ? 'none' : words.join(', ');
};

const head = (report: Report, open: number): Markup => {
  const { host, ledger, position, time, head: hash, clock, commands } = report;
  return element(
    'header',
    {},
    element('h1', {}, 'What happened to the volumes'),
    element(
      'dl',
      {},
      fact('Host', element('bdi', {}, host ?? 'not named in a copied log')),
      fact('As of', joined([`ev:${position}`, time === null ? '' : ', ', time === null ? '' : moment(clock, time)])),
      fact('Events', extent(report)),
      fact('Commands', outcomes(commands)),
      fact('Open', open === 0 ? 'nothing waits for a decision' : `${count(open, 'failure')} not mended`),
      fact('Times', clock.zone),
      fact('Log', element('bdi', {}, ledger)),
      fact('Chain head', element('code', {}, hash)),
    ),
    element(
      'p',
      { class: 'soft' },
      'Made by domtrail report from the log alone; domtrail verify proves the log, domtrail drift looks at the pools.',
    ),
  );
};

/** Failures and findings that are listed at most, the newest. */
const MOST_TROUBLES = 200;

const leftOut = (n: number): Markup | null =>
  n > 0 ? element('p', { class: 'soft' }, `and ${number(n)} older ones`) : null;

const troubleLine = (trouble: Trouble, report: Report): Markup =>
  element(
    'li',
    { class: trouble.settled ? null : 'open' },
    moment(report.clock, trouble.time),
    element(
      'span',
      {},
      element('bdi', { class: 'what' }, trouble.times === 1 ? trouble.what : `${trouble.what}, ${trouble.times} times`),
      element(
        'bdi',
        { class: 'soft' },
        trouble.code === null ? trouble.message : `${trouble.code}: ${trouble.message}`,
      ),
      element(
        'bdi',
        { class: trouble.settled ? 'mended' : 'bad' },
        `${trouble.settled ? '→' : '! open:'} ${trouble.mended}`,
      ),
    ),
    element('span', { class: 'at soft' }, `ev:${trouble.position}`),
  );

const failures = (troubles: readonly Trouble[], report: Report): Markup =>
  troubles.length === 0
    ? element('p', { class: 'soft' }, 'Nothing failed.')
    : joined([
        element(
          'ol',
          { class: 'troubles' },
          ...troubles.slice(0, MOST_TROUBLES).map((one) => troubleLine(one, report)),
        ),
        leftOut(troubles.length - MOST_TROUBLES),
      ]);

const DRIFT: ReadonlySet<string> = new Set([
  'DriftIgnored',
  'DriftNoticed',
  'DriftRepaired',
  'DocumentOverruled',
  'DiskLost',
  'DisksAccepted',
  'StorageAdopted',
]);

/** A refusal or a stop because the pools were not as the log has them. */
const tellsDrift = ({ event }: Recorded): boolean => {
  if (DRIFT.has(event.type)) return true;
  if (event.type === 'StepFailed') return event.code === 'D_DRIFT';
  return event.type === 'CommandRejected' && event.failure.code === 'D_DRIFT';
};

const drift = ({ events, clock }: Report): Markup => {
  const found = events.filter(tellsDrift).reverse();
  if (found.length === 0) return element('p', { class: 'soft' }, 'None is recorded in these events.');
  const line = ({ event, time, position }: Recorded): Markup =>
    element(
      'li',
      {},
      moment(clock, time),
      element('bdi', {}, wordsOf(event)),
      element('span', { class: 'at soft' }, `ev:${position}`),
    );
  return joined([
    element('ol', { class: 'troubles' }, ...found.slice(0, MOST_TROUBLES).map(line)),
    leftOut(found.length - MOST_TROUBLES),
  ]);
};

const SECTIONS = [
  ['back', 'Went back in time'],
  ['failures', 'Failures'],
  ['volumes', 'Volumes'],
  ['pools', 'Pools'],
  ['drift', 'Drift'],
  ['timeline', 'Commands'],
] as const;

/** The report as one page of HTML that also reads as XML: no script, nothing that it fetches, every string escaped. */
export const reportPage = (report: Report): string => {
  const troubles = troublesOf(report);
  const content: Readonly<Record<(typeof SECTIONS)[number][0], Markup>> = {
    back: turnsList(report),
    failures: failures(troubles, report),
    volumes: volumePictures(report),
    pools: poolUsage(report),
    drift: drift(report),
    timeline: timeline(report),
  };
  const page = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      empty('meta', { charset: 'utf-8' }),
      empty('meta', { 'http-equiv': 'Content-Security-Policy', content: policy() }),
      empty('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      empty('meta', { name: 'referrer', content: 'no-referrer' }),
      element('title', {}, `domtrail report, ev:${report.position}`),
      element('style', {}, literally(STYLE)),
    ),
    element(
      'body',
      {},
      head(report, troubles.filter(({ settled }) => !settled).length),
      element('nav', {}, ...SECTIONS.map(([id, title]) => element('a', { href: `#${id}` }, title))),
      element(
        'main',
        {},
        ...SECTIONS.map(([id, title]) => element('section', { id }, element('h2', {}, title), content[id])),
      ),
    ),
  );
  return `<!DOCTYPE html>\n${page.markup}\n`;
};
