// sessions FILE EVENTS: a ledger of that many events in which 60 VMs start and commit again and again, two events a command.
import type { DiskId } from '../domain/disk.ts';
import type { Fact } from '../domain/event.ts';
import type { VolumeKey } from '../domain/names.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { tell } from './clock.ts';
import { acceptMany, decidedInto, freshLedger, vmName } from './history.ts';

const VOLUMES = 60;
const BYTES = 2 ** 31;
const [file = '', wanted = ''] = process.argv.slice(2);

const disk = (volume: number, n: number) => ({ id: `disk-${volume}-${n}` as DiskId, bytes: BYTES });

/** The n-th fact of a volume: its first disk, then a session that goes on from the last one, its commit, and so on. */
const fact = (volume: number, n: number): Fact => {
  const key = `${vmName(volume)}:private` as VolumeKey;
  if (n === 0) return { type: 'VolumeProvisioned', volume: key, current: disk(volume, 0) };
  const number = Math.ceil(n / 2);
  const before = disk(volume, number - 1);
  const next = disk(volume, number);
  if (n % 2 === 1) return { type: 'SessionOpened', volume: key, session: { disk: next, origin: before.id } };
  return {
    type: 'SessionCommitted',
    volume: key,
    current: next,
    kept: { id: `${number}`, number, at: number, disk: before },
  };
};

const ledger = freshLedger(file);
const commands = Math.ceil((Number(wanted) - ledger.cache.head.position) / 2);
acceptMany(
  ledger,
  Array.from({ length: commands }, (_, n) => decidedInto(n + 1, [fact(n % VOLUMES, Math.floor(n / VOLUMES))])),
);
tell({ events: ledger.cache.head.position });
closeLedger(ledger);
