import { openLedger, statement } from '../infrastructure/ledger/ledger.ts';
import { foldTo } from '../infrastructure/ledger/fold.ts';
import { decode, EVENT_COLUMNS, type EventRow } from '../infrastructure/ledger/rows.ts';
import { emptyHost, evolve } from '../domain/host/host.ts';
import { valueOf } from './history.ts';
const ledger = valueOf(openLedger(process.argv[2]!, 'read'));
const N = ledger.cache.head.position;
const pages = (sql: string, two: boolean, f: (r: EventRow) => void) => { const s = ledger.db.prepare(sql).raw(); let after = 0; for (;;) { const rows = (two ? s.all(after, 1e15) : s.all(after)) as EventRow[]; for (const r of rows) f(r); if (rows.length < 1000) return; after = rows.at(-1)![0]; } };
const one = `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT 1000`;
const two = `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT 1000`;
const V: Record<string, () => void> = {
  rows1: () => pages(one, false, () => {}),
  rows2: () => pages(two, true, () => {}),
  parse: () => pages(one, false, (r) => JSON.parse(r[7])),
  decode: () => pages(one, false, (r) => decode(r)),
  evolve: () => { const h = emptyHost(); pages(one, false, (r) => evolve(h, decode(r))); },
  foldTo: () => { foldTo(ledger); },
};
const best: Record<string, number> = {};
for (let i = 0; i < 5; i++) for (const [k, f] of Object.entries(V)) { const c = process.cpuUsage(); f(); const d = process.cpuUsage(c); const us = (d.user + d.system) / N; best[k] = Math.min(best[k] ?? 1e9, us); }
console.log(best);
