// read FILE: what reading a long ledger takes: folding it, making projections again, verifying it.
import { foldTo } from '../infrastructure/ledger/fold.ts';
import { closeLedger, type Ledger, openLedger } from '../infrastructure/ledger/ledger.ts';
import { rebuild } from '../infrastructure/ledger/projections.ts';
import { verifyLedger } from '../infrastructure/ledger/verify.ts';
import { emptyWalk, walkEvents } from '../infrastructure/ledger/verify-walk.ts';
import { median, spent, tell } from './clock.ts';
import { openWriting, valueOf } from './history.ts';

const ROUNDS = 3;
const PAGE = 1000;
const [part = '', file = ''] = process.argv.slice(2);

type Row = readonly [number, string, number, string, number, string, number, string];

/** The least that reading every event takes: pages of rows, and JSON.parse. */
const readRaw = ({ db }: Ledger): void => {
  const page = db.prepare(`SELECT position, stream, version, type, schema_version, command, time, data FROM events WHERE position > ? ORDER BY position LIMIT ${PAGE}`).raw();
  let after = 0;
  for (;;) {
    const rows = page.all(after) as unknown as readonly Row[];
    for (const row of rows) JSON.parse(row[7]);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last[0];
  }
};

const perSecond = (events: number, milliseconds: number): number => (events * 1000) / milliseconds;

const replay = async (): Promise<object> => {
  const ledger = valueOf(openLedger(file, 'read'));
  const events = ledger.cache.head.position;
  const raw: number[] = [];
  const fold: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    raw.push((await spent(() => readRaw(ledger))).wallMs);
    fold.push((await spent(() => foldTo(ledger))).wallMs);
  }
  closeLedger(ledger);
  const ratio = median(raw.map((one, round) => (fold[round] ?? Number.NaN) / one));
  return { events, rawPerSecond: perSecond(events, median(raw)), foldPerSecond: perSecond(events, median(fold)), foldToRaw: ratio };
};

const rebuilding = async (): Promise<object> => {
  const ledger = openWriting(file, 'write', []);
  const { PROJECTIONS } = await import('../bin/compose.ts');
  const events = ledger.cache.head.position;
  const rates: Record<string, number> = {};
  for (const projection of PROJECTIONS) {
    const { wallMs } = await spent(() => valueOf(rebuild(ledger, projection, true)));
    rates[projection.name] = perSecond(events, wallMs);
  }
  closeLedger(ledger);
  return { events, rates };
};

const verifying = async (): Promise<object> => {
  const { PROJECTIONS } = await import('../bin/compose.ts');
  const ledger = valueOf(openLedger(file, 'read', PROJECTIONS));
  const walk = emptyWalk();
  const chain = await spent(() => walkEvents(ledger, walk));
  if (walk.chain ?? walk.order ?? walk.fold) throw new Error('the ledger of the bench does not verify');
  let ok = false;
  const whole = await spent(() => {
    ok = verifyLedger(ledger).ok;
  });
  closeLedger(ledger);
  return { events: walk.events, chain, whole, ok };
};

const main = async (): Promise<void> => {
  if (part === 'replay') tell(await replay());
  else if (part === 'rebuild') tell(await rebuilding());
  else tell(await verifying());
};
void main();
