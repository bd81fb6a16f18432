import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { utf8Terminal } from '../../infrastructure/cli/terminal.ts';
import { utcTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import type { Look, PoolTrend } from '../../projections/stats/pool-trend.ts';
import { openReading } from '../compose.ts';
import { withBootNumber } from '../log-boot.ts';
import { spanOf } from '../log-span.ts';
import { type Stats, statsOf } from '../stats-data.ts';
import { statsText } from '../stats-text.ts';

const HELP = `domtrail stats: how much happened, how long it took, and how the pools fill

  domtrail stats                        all of the log
  domtrail stats --since 2026-11-01     also yesterday, '2 weeks ago', --until, -b
  domtrail stats --at ev:4800           as one would have seen it then
  domtrail stats -n 20                  more rows in each table (--json: all)
  domtrail stats --db copy.db           of a copy

Counts of commands and steps by kind, with the time that half and that 95 of 100 of
them took (right to 5 %) and the longest; a pool's use over time, and when it is full
if it goes on like in the last two weeks; the VMs with the most events. Commands look
at a pool when they take room in it; stats itself adds what it sees now.
`;

const ROWS = 5;

const timeJson = (ms: number | null): string | null => (ms === null ? null : utcTime(ms));

const lookItem = ({ time, bytes, usedBytes, metadataBytes, metadataUsedBytes }: Look) => ({
  time: utcTime(time),
  bytes,
  usedBytes,
  metadataBytes,
  metadataUsedBytes,
});

const poolItem = ({ pool, looks, first, last, perDay, forecast, history }: PoolTrend) => ({
  pool,
  looks,
  first: lookItem(first),
  last: lookItem(last),
  bytesPerDay: perDay === null ? null : Math.round(perDay),
  forecast: forecast && {
    of: forecast.of,
    bytesPerDay: forecast.perDay,
    bytesLeft: forecast.left,
    fullAt: utcTime(Math.round(forecast.at)),
  },
  history: history.flatMap((look) => (look ? [lookItem(look)] : [])),
});

const itemOf = ({ commands, steps, pools, vms, from, to, end, ...stats }: Stats) => ({
  ...stats,
  from: timeJson(from),
  to: timeJson(to),
  end: utcTime(end),
  commands: {
    total: commands.kinds.reduce((sum, { count }) => sum + count, 0),
    outcomes: Object.fromEntries(commands.outcomes.map(({ name, count }) => [name, count])),
    codes: Object.fromEntries(commands.codes.map(({ name, count }) => [name, count])),
    kinds: commands.kinds,
  },
  steps: { total: steps.kinds.reduce((sum, { count }) => sum + count, 0), found: steps.found, kinds: steps.kinds },
  pools: pools.map(poolItem),
  vms,
});

const rowsOf = (args: Arguments): Result<number, Failure> => {
  const text = args.text('number') ?? `${ROWS}`;
  if (!/^[0-9]{1,6}$/.test(text)) return err(usage('-n takes a number of rows', 'stats'));
  return ok(Number(text) || Number.POSITIVE_INFINITY);
};

const stats: Action = {
  options: { since: 'value', until: 'value', boot: 'value', number: 'value', ascii: 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'stats');
    if (!words.ok) return words;
    const rows = rowsOf(args);
    if (!rows.ok) return rows;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      const span = spanOf(args, reading.value);
      if (!span.ok) return span;
      const found = await statsOf(reading.value, span.value, Date.now());
      if (args.flag('json')) outJson('stats', reading.value.asOf, { item: itemOf(found) });
      else out(statsText(found, args.flag('ascii') || !utf8Terminal() ? 'ascii' : 'utf8', rows.value));
      return ok(0);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(stats, 'stats', withBootNumber(argv));
