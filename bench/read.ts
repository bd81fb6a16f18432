// read replay|rebuild|verify FILE: what reading a long ledger takes: folding it, making projections again, verifying it.

import { PROJECTIONS } from '../bin/compose.ts';
import { foldTo } from '../infrastructure/ledger/fold.ts';
import { closeLedger, type Ledger, openLedger } from '../infrastructure/ledger/ledger.ts';
import { rebuild } from '../infrastructure/ledger/projections.ts';
import { walkEvents, walkFrom } from '../infrastructure/ledger/verify-walk.ts';
import { median, type Spent, spent, tell } from './clock.ts';
import { must, openWriting } from './history.ts';

const ROUNDS = 3;
const PAGE = 1000;
const [part = '', file = ''] = process.argv.slice(2);

type Row = readonly [number, string, number, string, number, string, number, string];

/** The least that reading every event takes: pages of rows, and JSON.parse. */
const readRaw = ({ db }: Ledger): void => {
  const page = db
    .prepare(
      `SELECT position, stream, version, type, schema_version, command, time, data FROM events WHERE position > ? ORDER BY position LIMIT ${PAGE}`,
    )
    .raw();
  let after = 0;
  for (;;) {
    const rows = page.all(after) as unknown as readonly Row[];
    for (const row of rows) JSON.parse(row[7]);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last[0];
  }
};

/** CPU time is the number to compare: this work never waits, so on a busy machine the wall tells of the neighbours. */
const rate = (events: number, took: readonly Spent[]) => ({
  perSecond: (events * 1000) / median(took.map(({ wallMs }) => wallMs)),
  perCpuSecond: (events * 1000) / median(took.map(({ cpuMs }) => cpuMs)),
});

const replay = async (): Promise<object> => {
  const ledger = must(openLedger(file, 'read'));
  const events = ledger.cache.head.position;
  const raw: Spent[] = [];
  const fold: Spent[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    raw.push(await spent(() => readRaw(ledger)));
    fold.push(await spent(() => foldTo(ledger)));
  }
  closeLedger(ledger);
  const foldToRaw = median(raw.map(({ cpuMs }, round) => (fold[round]?.cpuMs ?? Number.NaN) / cpuMs));
  return { events, raw: rate(events, raw), fold: rate(events, fold), foldToRaw };
};

const rebuilding = async (): Promise<object> => {
  const ledger = openWriting(file, 'write', []);
  const events = ledger.cache.head.position;
  const rates: Record<string, object> = {};
  for (const projection of PROJECTIONS) {
    rates[projection.name] = rate(events, [await spent(() => must(rebuild(ledger, projection, true)))]);
  }
  closeLedger(ledger);
  return { events, rates };
};

const verifying = async (): Promise<object> => {
  const ledger = must(openLedger(file, 'read'));
  const walk = walkFrom(ledger);
  const chain = await spent(() => walkEvents(ledger, walk));
  if (walk.chain ?? walk.order ?? walk.fold) throw new Error('the ledger of the bench does not verify');
  closeLedger(ledger);
  return { events: walk.events, chain };
};

const main = async (): Promise<void> => {
  if (part === 'replay') tell(await replay());
  else if (part === 'rebuild') tell(await rebuilding());
  else tell(await verifying());
};
void main();
