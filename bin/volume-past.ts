import type { Recorded } from '../domain/event.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { eventsOfTypeAmong, pagesOfStream } from '../infrastructure/ledger/stream-events.ts';
import { auditProjection, newestEntries } from '../projections/audit/audit.ts';
import { type Past, pastOf } from '../projections/volumes/turns.ts';
import { type Reading, tablesAt } from './compose.ts';

/** What befell a volume up to a position, from its very first event. `resumed`: commands that a recovery finished. */
export const pastUpTo = (ledger: Ledger, key: string, upTo: number, resumed: ReadonlySet<string>): Past =>
  pastOf(pagesOfStream(ledger, `volume/${key}`, upTo), resumed);

const PAGE = 5000;

/** The commands about a volume that a recovery went on with. */
export const resumedAbout = (reading: Reading, key: string): ReadonlySet<string> => {
  const { ledger, asOf } = reading;
  const audit = tablesAt(reading, auditProjection);
  const resumed = new Set<string>();
  for (let upTo = asOf.position; ; ) {
    const positions = newestEntries(audit, key, { after: 0, upTo, limit: PAGE });
    const found: readonly Recorded[] = eventsOfTypeAmong(ledger, 'CommandResumed', positions);
    for (const { command } of found) resumed.add(command);
    const last = positions.at(-1);
    if (last === undefined || positions.length < PAGE) return resumed;
    upTo = last - 1;
  }
};
