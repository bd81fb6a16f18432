// fill FILE EVENTS: a ledger of about that many events, made by the product itself, 1,000 commands in a transaction.
import { spent, tell } from './clock.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { acceptMany, freshLedger, setting } from './history.ts';

const BATCH = 1000;
const [file = '', events = ''] = process.argv.slice(2);

const main = async (): Promise<void> => {
  const ledger = freshLedger(file);
  let n = 1;
  const took = await spent(() => {
    while (ledger.cache.head.position < Number(events)) {
      acceptMany(ledger, Array.from({ length: BATCH }, () => setting(n++)));
    }
  });
  const meanBytes = ledger.db.prepare('SELECT avg(length(data)) FROM events').pluck().get();
  const { position } = ledger.cache.head;
  closeLedger(ledger);
  tell({ ...took, events: position, commands: n, meanBytes });
};
void main();
