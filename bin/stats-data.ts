import type { StoredOutcome } from '../infrastructure/ledger/outcomes.ts';
import { timeOf } from '../infrastructure/ledger/queries.ts';
import { commandTallies, ledgerBytes, stepsIn, usageIn } from '../infrastructure/ledger/tallies.ts';
import { auditProjection, type BusyVm, busiestVms } from '../projections/audit/audit.ts';
import { type PoolTrend, watchPools } from '../projections/stats/pool-trend.ts';
import { type Kind, kindCounter, ranked, stepKind } from '../projections/stats/stats.ts';
import { type Reading, tablesAt } from './compose.ts';
import type { Span } from './log-events.ts';
import { lookAtPools } from './pools-seen.ts';

/** VMs that `--json` lists at most. */
const MOST_VMS = 100;
/** Points of a pool's history, one character each on a screen. */
const PARTS = 24;

type Counted = { readonly name: string; readonly count: number };

type Commands = {
  readonly outcomes: readonly Counted[];
  readonly codes: readonly Counted[];
  readonly kinds: readonly Kind[];
};

type Steps = { readonly found: number; readonly kinds: readonly Kind[]; readonly msOfVm: ReadonlyMap<string, number> };

/** What happened in a span of the log, in numbers. Times in epoch milliseconds. */
export type Stats = Span & {
  readonly from: number | null;
  readonly to: number | null;
  /** up to when pools were looked at: now, for a log that is read as it is */
  readonly end: number;
  readonly events: number;
  readonly ledgerBytes: number;
  readonly commands: Commands;
  readonly steps: Steps;
  readonly pools: readonly PoolTrend[];
  readonly vms: readonly (BusyVm & { readonly stepMs: number })[];
};

const FAILED: ReadonlySet<StoredOutcome['outcome']> = new Set(['rejected', 'failed', 'abandoned']);

const addTo = (counts: Map<string, number>, name: string, by = 1): void => {
  counts.set(name, (counts.get(name) ?? 0) + by);
};

const commandsIn = ({ ledger }: Reading, span: Span): Commands => {
  const outcomes = new Map<string, number>();
  const codes = new Map<string, number>();
  const kinds = kindCounter();
  for (const { name, outcome, code, tookMs } of commandTallies(ledger, span)) {
    addTo(outcomes, outcome);
    if (code !== null) addTo(codes, code);
    kinds.add(name, FAILED.has(outcome), outcome === 'completed' ? tookMs : null);
  }
  return { outcomes: ranked(outcomes), codes: ranked(codes), kinds: kinds.kinds() };
};

const vmOf = (object: string): string => {
  const colon = object.lastIndexOf(':');
  return colon > 0 ? object.slice(0, colon) : object;
};

const stepsOf = ({ ledger }: Reading, span: Span): Steps => {
  const kinds = kindCounter();
  const msOfVm = new Map<string, number>();
  let found = 0;
  for (const { event } of stepsIn(ledger, span)) {
    if (event.type !== 'StepDone' && event.type !== 'StepFailed') continue;
    const { durationMs } = event.evidence;
    const done = event.type === 'StepDone';
    // What was found done already took no time that says anything.
    if (done && event.found) found++;
    kinds.add(stepKind(event.words), !done, done && !event.found ? durationMs : null);
    addTo(msOfVm, vmOf(event.object), durationMs);
  }
  return { found, kinds: kinds.kinds(), msOfVm };
};

const poolsIn = async (
  reading: Reading,
  span: Span,
  [from, to]: readonly [number, number],
): Promise<readonly PoolTrend[]> => {
  const watch = watchPools({ from, to, parts: PARTS });
  for (const { time, pools } of usageIn(reading.ledger, span))
    for (const one of pools) watch.look(one.pool, { ...one, time });
  const nowToo = reading.live && span.upTo === reading.asOf.position;
  const seen = nowToo ? await lookAtPools(reading.host) : [];
  for (const { pool, usage } of seen) watch.look(pool.name, { ...usage, time: to });
  return watch.trends();
};

/** Goes through a span of the log once for each question, and keeps only counts. `now`: epoch milliseconds. */
export const statsOf = async (reading: Reading, span: Span, now: number): Promise<Stats> => {
  const { ledger, live, asOf } = reading;
  const empty = span.upTo <= span.after;
  const [from, to] = empty ? [null, null] : [timeOf(ledger, span.after + 1), timeOf(ledger, span.upTo)];
  const end = live && span.upTo === asOf.position ? now : (to ?? 0);
  const steps = stepsOf(reading, span);
  const vms = busiestVms(tablesAt(reading, auditProjection), { ...span, limit: MOST_VMS });
  return {
    ...span,
    from,
    to,
    end,
    events: Math.max(0, span.upTo - span.after),
    ledgerBytes: ledgerBytes(ledger),
    commands: commandsIn(reading, span),
    steps,
    pools: await poolsIn(reading, span, [from ?? end, end]),
    vms: vms.map((one) => ({ ...one, stepMs: steps.msOfVm.get(one.vm) ?? 0 })),
  };
};
