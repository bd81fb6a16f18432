import type { VolumeKey } from '../domain/names.ts';
import { pageOfEvents } from '../infrastructure/ledger/event-pages.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { type Past, pastOf } from '../projections/volumes/turns.ts';
import type { Reading } from './compose.ts';
import { eventsAbout } from './log-events.ts';

/** Facts of one volume that are looked through at most, the newest: five or so for each time its VM ran. */
const MOST_FACTS = 5000;
/** Events about one volume, its steps among them, that are searched for recoveries at most. */
const MOST_SEARCHED = 5000;

/** What befell a volume up to a position. `resumed`: commands that a recovery finished. */
export const pastUpTo = (ledger: Ledger, key: string, upTo: number, resumed: ReadonlySet<string>): Past => {
  const which = { by: 'stream', value: `volume/${key}` } as const;
  const facts = pageOfEvents(ledger, which, { after: 0, upTo, limit: MOST_FACTS, newestFirst: true });
  return pastOf(facts.map(({ recorded }) => recorded).reverse(), resumed);
};

/** The commands about a volume that a recovery went on with. */
export const resumedAbout = (reading: Reading, key: VolumeKey): ReadonlySet<string> => {
  const resumed = new Set<string>();
  const about = eventsAbout(reading, key, { after: 0, upTo: reading.asOf.position });
  if (!about.ok) return resumed;
  let left = MOST_SEARCHED;
  for (const { recorded } of about.value) {
    if (recorded.event.type === 'CommandResumed') resumed.add(recorded.command);
    left -= 1;
    if (left === 0) break;
  }
  return resumed;
};
