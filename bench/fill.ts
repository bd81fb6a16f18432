// fill FILE EVENTS: a ledger of that many events, most of them settings of 200 VMs, hashed and appended by the product.
import { appendRows, ownStreams } from '../infrastructure/ledger/append.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { catchUp } from '../infrastructure/ledger/projections.ts';
import { inTransaction } from '../infrastructure/ledger/transaction.ts';
import { spent, tell } from './clock.ts';
import { acceptMany, freshLedger, hurry, must, setting, settled } from './history.ts';

const COMMANDS = 2000;
const PAGE = 10_000;
const [file = '', wanted = ''] = process.argv.slice(2);

const main = async (): Promise<void> => {
  const ledger = freshLedger(file, []);
  acceptMany(
    ledger,
    Array.from({ length: COMMANDS }, (_, index) => setting(index + 1)),
  );
  hurry(ledger);
  // The rest without a command each, which would take minutes: what is measured on it reads events.
  const { cache } = ledger;
  const append = (count: number): void => {
    const facts = Array.from({ length: count }, (_, index) => settled(cache.head.position + index));
    appendRows(ledger, 'history', Date.now(), ownStreams('history', facts));
  };
  const took = await spent(() => {
    while (cache.head.position < Number(wanted)) {
      const count = Math.min(PAGE, Number(wanted) - cache.head.position);
      must(inTransaction(ledger, () => append(count)));
    }
    must(catchUp(ledger));
  });
  const meanBytes = ledger.db.prepare('SELECT avg(length(data)) FROM events').pluck().get();
  closeLedger(ledger);
  tell({ ...took, events: cache.head.position, meanBytes });
};
void main();
