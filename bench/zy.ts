import { openLedger } from '../infrastructure/ledger/ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from '../infrastructure/ledger/rows.ts';
import { emptyHost, evolve } from '../domain/host/host.ts';
import { valueOf } from './history.ts';
const ledger = valueOf(openLedger(process.argv[2]!, 'read'));
const rows = ledger.db.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE position <= 60000 ORDER BY position`).raw().all() as EventRow[];
const ev = rows.map(decode);
let best = 1e9;
const all: string[] = [];
for (let i = 0; i < 12; i++) { const h = emptyHost(); const c = process.cpuUsage(); for (const e of ev) evolve(h, e); const d = process.cpuUsage(c); const us = (d.user + d.system) / ev.length; all.push(us.toFixed(2)); best = Math.min(best, us); }
console.log('evolve alone us', best.toFixed(3), all.join(' '));
