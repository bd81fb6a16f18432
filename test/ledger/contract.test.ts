import { eventsBetween } from '../../infrastructure/ledger/fold.ts';
import { append } from '../../infrastructure/ledger/record.ts';
import { storeContract } from './contract.ts';
import { writable } from './fixture.ts';

storeContract('the ledger', () => {
  const ledger = writable();
  const all = () => [...eventsBetween(ledger, 0, Number.MAX_SAFE_INTEGER)];
  return {
    append: (stream, events, expected) => {
      const written = { command: 'c', time: 1_700_000_000_123 };
      return append(
        ledger,
        written,
        events.map((event) => ({ stream, event })),
        new Map([[stream, expected]]),
      );
    },
    all,
    stream: (name) => all().filter(({ stream }) => stream === name),
  };
});
