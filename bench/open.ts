// open nothing|read|write FILE: starts as a command does, opens the ledger as that mode does, and knows its head.
// open die FILE: leaves a long write-ahead log behind, as a writer does that is killed.
import { statSync } from 'node:fs';
import { memoryConnection } from '../infrastructure/ledger/connection.ts';
import { type Ledger, openLedger } from '../infrastructure/ledger/ledger.ts';
import { spent, tell } from './clock.ts';
import { acceptMany, must, openWriting, setting } from './history.ts';

/** A run of an evening's work without a pause for the log to be folded back into the file. */
const WAL_BYTES = 84e6;
const BATCH = 20;
/** Numbers that no other command of the bench has. */
const FIRST = 1_000_000_000;

const [mode = '', file = ''] = process.argv.slice(2);

const die = (): void => {
  const ledger = openWriting(file, 'write', []);
  ledger.db.pragma('wal_autocheckpoint = 0');
  for (let n = FIRST; statSync(`${file}-wal`).size < WAL_BYTES; n += BATCH) {
    acceptMany(
      ledger,
      Array.from({ length: BATCH }, (_, index) => setting(n + index)),
    );
  }
  process.kill(process.pid, 'SIGKILL');
};

const main = async (): Promise<void> => {
  if (mode === 'die') return die();
  // The addon is loaded either way: what is left is the opening.
  memoryConnection().close();
  if (mode === 'nothing') return tell({ position: null });
  let ledger: Ledger | null = null;
  const took = await spent(() => {
    ledger = must(openLedger(file, mode === 'write' ? 'write' : 'read'));
  });
  tell({ ...took, position: (ledger as Ledger | null)?.cache.head.position });
  // Closing a writer's connection folds the log back into the file, which is not part of opening.
  process.exit(0);
};
void main();
