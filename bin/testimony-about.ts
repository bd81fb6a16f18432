import { lvIdsIn, lvNamesIn, type TestimonyFact, wordsOfTestimony } from '../domain/adoption/testimony.ts';
import type { Recorded } from '../domain/event.ts';
import { testimonyInLog } from '../infrastructure/service/lvm-archive.ts';
import type { Reading } from './compose.ts';

type Testified = Recorded<TestimonyFact>;

/** By LVM's clock, which is what such a list is read for. */
const inOrder = (found: readonly Testified[]): readonly Testified[] =>
  [...found].sort((a, b) => a.event.time - b.event.time || a.event.seqno - b.event.seqno || a.position - b.position);

/** What the log has of LVM's archive about a volume, an LV by name, or a disk by its UUID; oldest first by LVM's clock. */
export const testimonyAbout = ({ ledger, host, asOf }: Reading, about: string): readonly Testified[] =>
  inOrder(
    testimonyInLog(ledger, host, asOf.position).filter(
      ({ event }) =>
        event.volumes.some((key) => key === about) ||
        lvIdsIn(event).includes(about) ||
        lvNamesIn(event).includes(about),
    ),
  );

/** The newest of it, a line each. */
export const testimonyLines = (found: readonly Testified[], most: number): readonly string[] => {
  const shown = found.slice(-most).map(({ event, position }) => `ev:${position}  ${wordsOfTestimony(event)}`);
  return found.length > most ? [`${found.length - most} older ones`, ...shown] : shown;
};
