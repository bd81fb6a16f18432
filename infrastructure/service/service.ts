import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Step } from '../../domain/steps.ts';
import type { Archiver } from '../backup/archiver.port.ts';
import type { Progress, VolumeDriver } from '../drivers/driver.port.ts';
import type { Fault } from '../fault.ts';
import { firewallFiles } from '../firewall-file/keeper.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.port.ts';
import { acquireLeaseWithin, releaseLease } from '../ledger/lease.ts';
import { closeLedger, type Ledger } from '../ledger/ledger.ts';
import { thisProcess } from '../ledger/process-identity.ts';
import { record } from '../ledger/record.ts';
import { currentHost } from '../ledger/state.ts';
import { firewallEntries, vmKeys } from '../qubesdb/keepers.ts';
import type { QubesDb } from '../qubesdb/qubesdb.port.ts';
import type { Backup } from '../runner/bind-deed.ts';
import type { Journal } from '../runner/journal.port.ts';
import type { Hands } from '../runner/perform.ts';
import { type Pools, poolsOf } from '../runner/pools.ts';
import type { Home } from './home.ts';

/** What the composition root puts together. `publish` brings the files that other programs read up to the head. */
export type Parts = {
  readonly home: Home;
  readonly ledger: Ledger;
  readonly driverFor: (pool: Pool) => VolumeDriver;
  readonly hypervisor: Hypervisor;
  readonly qubesDb: QubesDb;
  readonly fault: Fault;
  readonly publish: () => Result<null, Failure>;
  /** the state at an earlier position */
  readonly stateAt: (position: number) => Host;
  readonly progress: (step: Step) => Progress;
  /** opened by the command that restores from it */
  readonly backup?: Backup;
  /** made by the command that backs up */
  readonly archiver?: Archiver;
  /** how long to wait for another writer, in milliseconds */
  readonly waitMs: number;
  /** the wall clock in epoch milliseconds, where it is not the host's */
  readonly now?: () => number;
  /** in whose name commands of the system are given, where it is not recovery */
  readonly tool?: string;
};

export type Service = Parts & {
  readonly pools: Pools;
  readonly journal: Journal;
  readonly now: () => number;
  readonly tool: string;
};

/** How long a command that gave the lease up for a long copy waits to get it back. */
const REGAIN_MS = 60_000;

export const serviceOf = (parts: Parts): Service => {
  const { ledger, now = Date.now, tool = 'domtrail recovery' } = parts;
  const journal: Journal = {
    host: () => currentHost(ledger),
    record: (command, events) => {
      const recorded = record(ledger, { command, time: now() }, events);
      return recorded.ok ? ok(null) : recorded;
    },
  };
  return { ...parts, now, tool, journal, pools: poolsOf(() => currentHost(ledger).pools, parts.driverFor) };
};

/** The runner's hands for one command. */
export const handsFor = (service: Service, command: string, fault: Fault): Hands => ({
  pools: service.pools,
  hypervisor: service.hypervisor,
  firewallFiles: firewallFiles(service.home.dir),
  firewallEntries: firewallEntries(service.qubesDb),
  keys: vmKeys(service.qubesDb),
  fault,
  stdin: 'here',
  ...(service.backup ? { backup: service.backup } : {}),
  ...(service.archiver ? { archiver: service.archiver } : {}),
  progress: service.progress,
  withoutLease: async (work) => {
    releaseLease(service.ledger);
    try {
      return await work();
    } finally {
      // Failing to get it back shows at the next record: without the token nothing can be written.
      await acquireLeaseWithin(service.ledger, thisProcess(), command, REGAIN_MS);
    }
  },
});

export const closeService = ({ ledger }: Service): void => {
  releaseLease(ledger);
  closeLedger(ledger);
};
