import type { Witness } from '../../domain/adoption/proof.ts';
import type { DiskId } from '../../domain/disk.ts';
import { type Ledger, statement } from '../ledger/ledger.ts';

const LAST_STEP = `SELECT time FROM events WHERE type = 'StepDone' ORDER BY position DESC LIMIT 1`;

/** Identities that a disk got when its content was there already. */
const LATE = `
  SELECT data ->> '$.disk.id' AS id FROM events WHERE type = 'DiskAdopted'
  UNION SELECT data ->> '$.now' FROM events WHERE type = 'TrashReidentified'
  UNION SELECT one.value ->> '$.now' FROM events, json_each(events.data, '$.disks') AS one WHERE events.type = 'VolumeReidentified'`;

/** What the log tells about the age of its disks. Steps are the moments at which domtrail touched a disk. */
export const witnessOf = (ledger: Ledger): Witness => ({
  lastStep: (statement(ledger, LAST_STEP).pluck().get() as number | undefined) ?? 0,
  bornElsewhere: statement(ledger, LATE).pluck().all() as readonly DiskId[],
});
