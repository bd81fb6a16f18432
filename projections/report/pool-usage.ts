import { formatBytes } from '../../domain/bytes.ts';
import { element, joined, type Markup } from '../markup.ts';
import type { Clock, PoolSample, Report } from './report.ts';

const WIDTH = 1000;
const HEIGHT = 120;
/** More points than that no screen shows. */
const MOST_POINTS = 400;

const share = (used: number, all: number): number => Math.min(1, used / Math.max(1, all));
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

/** The last look of each stretch of time, so that a long log gives a line of bounded length. */
const thinned = (samples: readonly PoolSample[]): readonly PoolSample[] => {
  const step = Math.ceil(samples.length / MOST_POINTS);
  return step <= 1 ? samples : samples.filter((_, index) => (samples.length - 1 - index) % step === 0);
};

const line = (samples: readonly PoolSample[], of: (sample: PoolSample) => number): string => {
  const first = samples[0]?.time ?? 0;
  const span = Math.max(1, (samples.at(-1)?.time ?? 0) - first);
  const points = samples.map((sample) => {
    const x = Math.round(((sample.time - first) / span) * WIDTH);
    return { x, y: Math.round((1 - of(sample)) * HEIGHT * 10) / 10 };
  });
  const [start, ...rest] = points;
  return start ? `M${start.x} ${start.y}${rest.map(({ x, y }) => `H${x}V${y}`).join('')}H${WIDTH}` : '';
};

const metadata = ({ metadataBytes, metadataUsedBytes }: PoolSample): number =>
  metadataBytes === null || metadataUsedBytes === null ? 0 : share(metadataUsedBytes, metadataBytes);

const chart = (pool: string, samples: readonly PoolSample[]): Markup => {
  const data = line(samples, ({ usedBytes, bytes }) => share(usedBytes, bytes));
  const hasMetadata = samples.some(({ metadataBytes }) => metadataBytes !== null);
  return element(
    'svg',
    {
      class: 'usage',
      role: 'img',
      'aria-label': `How full ${pool} was, from empty below to full above`,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
    },
    element('path', { class: 'half', d: `M0 ${HEIGHT / 2}H${WIDTH}` }),
    element('path', { class: 'area', d: `${data}V${HEIGHT}H0Z` }),
    element('path', { class: 'data', d: data }),
    hasMetadata ? element('path', { class: 'metadata', d: line(samples, metadata) }) : null,
  );
};

const words = (samples: readonly PoolSample[], { day, time }: Clock): string => {
  const last = samples.at(-1);
  if (!last) return '';
  const shares = samples.map(({ usedBytes, bytes }) => share(usedBytes, bytes));
  const meta = last.metadataBytes === null ? '' : `, metadata ${percent(metadata(last))} (dashed)`;
  const now = `${formatBytes(last.usedBytes)} of ${formatBytes(last.bytes)} used, ${percent(shares.at(-1) ?? 0)}${meta}`;
  const range = `between ${percent(Math.min(...shares))} and ${percent(Math.max(...shares))}`;
  const looks = samples.length === 1 ? '1 look' : `${samples.length} looks, ${range}`;
  return `${now}, at ${day(last.time)} ${time(last.time)} (ev:${last.position}); ${looks}`;
};

const figure = (pool: string, samples: readonly PoolSample[], clock: Clock): Markup => {
  const shown = thinned(samples);
  const [first, last] = [shown[0]?.time ?? 0, shown.at(-1)?.time ?? 0];
  return element(
    'figure',
    {},
    element(
      'figcaption',
      {},
      element('bdi', { class: 'name' }, pool),
      element('span', { class: 'soft' }, words(samples, clock)),
    ),
    element('div', { class: 'plot' }, chart(pool, shown), element('span', { class: 'full soft' }, '100 %')),
    element(
      'div',
      { class: 'ends soft' },
      element('span', {}, `${clock.day(first)} ${clock.time(first)}`),
      element('span', {}, `${clock.day(last)} ${clock.time(last)}`),
    ),
  );
};

/** How full each pool was whenever a command that writes to it looked before it was decided. */
export const poolUsage = ({ samples, clock }: Report): Markup => {
  const byPool = new Map<string, PoolSample[]>();
  for (const sample of samples) byPool.set(sample.pool, [...(byPool.get(sample.pool) ?? []), sample]);
  if (byPool.size === 0) {
    const nothing = 'The log holds no measurement here: only commands that take space from a pool look how full it is.';
    return element('p', { class: 'soft' }, nothing);
  }
  return joined([...byPool].map(([pool, some]) => figure(pool, some, clock)));
};
