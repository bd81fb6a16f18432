import {
  backIsThePreviousCurrent,
  committedIsTheSession,
  nothingErasedIsCommitted,
  noZeroedRevision,
  snapshotIsOfItsMoment,
} from './content.ts';
import type { Invariant } from './invariant.ts';
import { diskWhereTheLogSays, noOrphanSnap, oneCurrentPerVolume, oneDiskOnePlace } from './place.ts';
import { erasedUnderAnotherName, nothingBlocksForEver, onlyItsOwnDisks } from './plan.ts';
import { oldestGoesFirst, revisionOrder } from './retention.ts';
import {
  dirtyOnlyAfterACrash,
  openOnlyWhileRunning,
  snapshotOnlyIfSnapOnStart,
  sourceChain,
  volatileOnlyWhileRunning,
} from './session.ts';

/** Everything that must always hold, in the order in which a breach is most telling: causes before consequences. */
export const INVARIANTS: readonly Invariant[] = [
  backIsThePreviousCurrent,
  committedIsTheSession,
  nothingErasedIsCommitted,
  snapshotOnlyIfSnapOnStart,
  sourceChain,
  snapshotIsOfItsMoment,
  dirtyOnlyAfterACrash,
  volatileOnlyWhileRunning,
  openOnlyWhileRunning,
  noOrphanSnap,
  oneCurrentPerVolume,
  noZeroedRevision,
  revisionOrder,
  oldestGoesFirst,
  onlyItsOwnDisks,
  erasedUnderAnotherName,
  nothingBlocksForEver,
  oneDiskOnePlace,
  diskWhereTheLogSays,
];
