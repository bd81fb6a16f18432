import { formatBytes } from '../domain/bytes.ts';
import { counted } from '../domain/counted.ts';
import { escapeText, localTime } from '../infrastructure/cli/text.ts';
import type { Look, PoolTrend } from '../projections/stats/pool-trend.ts';
import type { Kind } from '../projections/stats/stats.ts';
import { forecastText } from './pool-forecast.ts';
import type { Stats } from './stats-data.ts';

const WIDTH = 80;
const DAY = 86_400_000;

/** `480 ms`, `1.2 s`, `3.4 min`, `2.0 h`. */
const durationText = (ms: number | null): string => {
  if (ms === null) return '-';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
};

const share = (used: number, all: number): number => Math.min(1, used / Math.max(1, all));
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

const BARS = { utf8: '▁▂▃▄▅▆▇█', ascii: '_.:-=+*#' } as const;

type Style = keyof typeof BARS;

/** One character for each part of the span; a part nobody looked in goes on from the one before. */
const sparkline = (history: readonly (Look | null)[], style: Style): string => {
  const bars = Array.from(BARS[style]);
  let before = ' ';
  const marks = history.map((look) => {
    if (look)
      before = bars[Math.min(bars.length - 1, Math.floor(share(look.usedBytes, look.bytes) * bars.length))] ?? ' ';
    return before;
  });
  return marks.join('');
};

const growth = ({ perDay, last, looks }: PoolTrend): string => {
  if (perDay === null) return `${counted(looks, 'look')}, too few for a forecast`;
  const daily = (perDay / Math.max(1, last.bytes)) * 100;
  if (Math.abs(daily) < 0.005) return 'steady';
  return `${daily < 0 ? '' : '+'}${daily.toFixed(Math.abs(daily) < 1 ? 2 : 1)} %/day`;
};

const metadataText = ({ metadataBytes, metadataUsedBytes }: Look): readonly string[] =>
  metadataBytes === null || metadataUsedBytes === null
    ? []
    : [`meta ${percent(share(metadataUsedBytes, metadataBytes))}`];

/** Two lines; `to` is the end of the span: an older last look is dated. */
const poolLines = (trend: PoolTrend, style: Style, to: number): readonly string[] => {
  const { pool, last, forecast } = trend;
  const ahead = forecast
    ? [forecastText(forecast, last.time)]
    : trend.perDay === null || growth(trend) === 'steady'
      ? []
      : ['not filling up'];
  const old = to - last.time > DAY ? [`seen ${localTime(last.time).slice(0, 10)}`] : [];
  const used = `${percent(share(last.usedBytes, last.bytes))} of ${formatBytes(last.bytes)}`;
  const words = [used, growth(trend), ...ahead, ...metadataText(last), ...old].join(', ');
  return [`POOL      ${sparkline(trend.history, style)} ${escapeText(pool)}`, `          ${words}`];
};

const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart((widths[at] ?? 0) + 2))).join(''),
  );
};

const kindRows = (what: string, kinds: readonly Kind[], most: number): readonly string[] => {
  const header = [what, 'COUNT', 'FAILED', 'HALF IN', '95 % IN', 'LONGEST'];
  const rows = kinds
    .slice(0, most)
    .map(({ name, count, failed, p50Ms, p95Ms, maxMs }) => [
      escapeText(name).slice(0, 28),
      `${count}`,
      failed === 0 ? '-' : `${failed}`,
      durationText(p50Ms),
      durationText(p95Ms),
      durationText(maxMs),
    ]);
  return rows.length === 0 ? [] : columns([header, ...rows]);
};

const vmRows = (vms: Stats['vms'], most: number): readonly string[] => {
  const header = ['BUSIEST VMS', 'EVENTS', 'FAILED', 'STEPS TOOK'];
  const rows = vms
    .slice(0, most)
    .map(({ vm, events, failed, stepMs }) => [
      escapeText(vm),
      `${events}`,
      failed === 0 ? '-' : `${failed}`,
      durationText(stepMs),
    ]);
  return rows.length === 0 ? [] : columns([header, ...rows]);
};

const WORDS: Readonly<Record<string, string>> = { rejected: 'refused', abandoned: 'taken back', accepted: 'not ended' };

const spanText = ({ from, to, after, upTo, events }: Stats): string =>
  from === null || to === null || events === 0
    ? 'no events'
    : `ev:${after + 1} to ev:${upTo}, ${localTime(from)} to ${localTime(to)}`;

const daysOf = ({ from, to }: Stats): number => Math.max(1, ((to ?? 0) - (from ?? 0)) / DAY);

const countsText = (counts: readonly { readonly name: string; readonly count: number }[], most: number): string => {
  const shown = counts.slice(0, most).map(({ name, count }) => `${count} ${WORDS[name] ?? name}`);
  return counts.length > most ? `${shown.join(', ')}, ...` : shown.join(', ');
};

/** The numbers on one screen: `most` rows in each table. */
export const statsText = (stats: Stats, style: Style, most: number): string => {
  const { commands, steps, pools, vms, events } = stats;
  const daily = events / daysOf(stats);
  const lines = [
    `SPAN      ${spanText(stats)}`,
    `LEDGER    ${formatBytes(stats.ledgerBytes)}; ${events} events here, ${daily < 10 ? daily.toFixed(1) : Math.round(daily)} a day`,
    `COMMANDS  ${countsText(commands.outcomes, 5) || 'none'}`,
    ...(commands.codes.length === 0 ? [] : [`BECAUSE   ${countsText(commands.codes, 3)}`]),
    ...pools.flatMap((one) => poolLines(one, style, stats.end)),
    ...kindRows('COMMAND', commands.kinds, most),
    ...kindRows('STEP', steps.kinds, most),
    ...vmRows(vms, Math.max(1, Math.ceil(most / 2))),
  ];
  return lines.map((line) => `${line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line}\n`).join('');
};
