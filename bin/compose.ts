import { type Failure, failure } from '../domain/failure.ts';
import type { Host } from '../domain/host/host.ts';
import type { Pool } from '../domain/pool/pool.ts';
import { whyUnusable } from '../domain/pool/usable.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Arguments } from '../infrastructure/cli/arguments.ts';
import type { AsOf } from '../infrastructure/cli/output.ts';
import { progressOn } from '../infrastructure/cli/progress.ts';
import type { VolumeDriver } from '../infrastructure/drivers/driver.port.ts';
import { fileReflinkDriver } from '../infrastructure/drivers/file-reflink/driver.ts';
import { linuxKernelDriver } from '../infrastructure/drivers/linux-kernel/driver.ts';
import { lvmThinDriver } from '../infrastructure/drivers/lvm-thin/driver.ts';
import { refusingDriver } from '../infrastructure/drivers/refusing.ts';
import { NO_FAULT, parseFault } from '../infrastructure/fault.ts';
import { noHypervisor } from '../infrastructure/hypervisor/none.ts';
import { hostAtBeginning } from '../infrastructure/ledger/beginning.ts';
import type { Mode } from '../infrastructure/ledger/connection.ts';
import { foldTo } from '../infrastructure/ledger/fold.ts';
import { type Ledger, openLedger } from '../infrastructure/ledger/ledger.ts';
import { catchUp, inStep, replayed } from '../infrastructure/ledger/projections.ts';
import { positionAt, timeOf } from '../infrastructure/ledger/queries.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { qubesDbAt } from '../infrastructure/qubesdb/choose.ts';
import { findHome, type Home, homeAt } from '../infrastructure/service/home.ts';
import { publishQubesXml } from '../infrastructure/service/publish.ts';
import { type Service, serviceOf } from '../infrastructure/service/service.ts';
import { readState } from '../infrastructure/service/stored-state.ts';
import { auditProjection } from '../projections/audit/audit.ts';
import type { Projection, Sql } from '../projections/projection.ts';
import { qubesXml } from '../projections/qubes-xml/qubes-xml.ts';
import { volumesProjection } from '../projections/volumes/volumes.ts';
import { waypointBefore, waypointsProjection } from '../projections/waypoints/waypoints.ts';

export const PROJECTIONS = [volumesProjection, auditProjection, waypointsProjection] as const;

export const driverFor = (pool: Pool): VolumeDriver => {
  const why = whyUnusable(pool);
  if (why !== null) return refusingDriver(why);
  switch (pool.driver) {
    case 'file-reflink':
      return fileReflinkDriver(pool);
    case 'lvm_thin':
      return lvmThinDriver(pool);
    case 'file':
      return refusingDriver('domtrail only keeps pools of the old driver file');
    case 'linux-kernel':
      return linuxKernelDriver(pool);
  }
};

const faultOf = (text: string | undefined) => {
  if (text === undefined || text === '') return ok(NO_FAULT);
  const fault = parseFault(text);
  return fault ? ok(fault) : err(failure('D_USAGE', `DOMTRAIL_FAULT=${JSON.stringify(text)} names no fault point`));
};

const waitOf = (text: string | undefined): Result<number, Failure> =>
  text === undefined || /^[0-9]{1,6}$/.test(text)
    ? ok(Number(text ?? 0) * 1000)
    : err(failure('D_USAGE', '--wait takes whole seconds'));

/** What `bisect` gives to the programs it starts: the position they look at, the log, and the state at the position. */
export const LOOKING_BACK = { at: 'DOMTRAIL_AT', db: 'DOMTRAIL_DB', state: 'DOMTRAIL_STATE' } as const;

/** Everything a changing command needs. */
export const openService = (args: Arguments, mode: Exclude<Mode, 'read'>): Result<Service, Failure> => {
  if (process.env[LOOKING_BACK.at]) {
    return err(failure('D_USAGE', `${LOOKING_BACK.at} is set: this is a look into the past, where nothing changes`));
  }
  const elsewhere = (['at', 'db'] as const).find((name) => args.text(name) !== undefined);
  if (elsewhere) {
    return err(
      failure('D_USAGE', `--${elsewhere} is for looking: what changes something changes this home as it is now`),
    );
  }
  const home = findHome(args.text('home'));
  const fault = faultOf(process.env['DOMTRAIL_FAULT']);
  if (!fault.ok) return fault;
  const waitMs = waitOf(args.text('wait'));
  if (!waitMs.ok) return waitMs;
  const ledger = openLedger(home.ledger, mode, PROJECTIONS);
  if (!ledger.ok) return ledger;
  const current = catchUp(ledger.value);
  if (!current.ok) return current;
  return ok(
    serviceOf({
      home,
      ledger: ledger.value,
      driverFor,
      hypervisor: noHypervisor,
      qubesDb: qubesDbAt(home.qubesDb),
      fault: fault.value,
      publish: () => publishQubesXml(ledger.value, home, qubesXml),
      stateAt: (position) => stateAt(ledger.value, position),
      progress: progressOn(process.stderr.isTTY === true),
      waitMs: waitMs.value,
    }),
  );
};

export type Reading = {
  readonly home: Home;
  readonly ledger: Ledger;
  readonly host: Host;
  readonly asOf: AsOf;
  readonly past: boolean;
  /** the home of this machine as it is now: only then do its disks and daemons say anything about it */
  readonly live: boolean;
};

/** The state at a position, folded on from the last waypoint before it. */
export const stateAt = (ledger: Ledger, position: number): Host => {
  const reached = inStep(ledger, waypointsProjection) ? waypointBefore(ledger.sql, position) : null;
  return foldTo(ledger, position, reached && reached.position > 0 ? reached : hostAtBeginning(ledger));
};

const pastState = (ledger: Ledger, position: number): Host => {
  const stored = process.env[LOOKING_BACK.state];
  return (stored ? readState(ledger, position, stored) : null) ?? stateAt(ledger, position);
};

/** The state to read: now, or as it was at `--at EV|TIME`; of this home, or of a copy given with `--db`. */
export const openReading = (args: Arguments): Result<Reading, Failure> => {
  const file =
    args.text('db') ?? (args.text('home') === undefined ? process.env[LOOKING_BACK.db] || undefined : undefined);
  const home = file === undefined ? findHome(args.text('home')) : homeAt('.');
  const ledger = openLedger(file ?? home.ledger, 'read', PROJECTIONS);
  if (!ledger.ok) return ledger;
  const at = args.text('at') ?? (process.env[LOOKING_BACK.at] || undefined);
  const position = at === undefined ? ok(null) : positionAt(ledger.value, at);
  if (!position.ok) return position;
  const host = position.value === null ? currentHost(ledger.value) : pastState(ledger.value, position.value);
  const asOf = { position: host.position, time: timeOf(ledger.value, host.position) };
  const past = position.value !== null;
  return ok({ home, ledger: ledger.value, host, asOf, past, live: !past && file === undefined });
};

/** What was replayed for a look into the past: another question of the same command need not replay it again. */
const REPLAYED = new WeakMap<Ledger, Map<string, Sql>>();

const replayedOnce = (ledger: Ledger, projection: Projection, position: number): Sql => {
  const known = REPLAYED.get(ledger) ?? new Map<string, Sql>();
  REPLAYED.set(ledger, known);
  const key = `${projection.name} ${position}`;
  const sql = known.get(key) ?? replayed(ledger, projection, position).sql;
  known.set(key, sql);
  return sql;
};

/** A projection's tables as of the reading (with `onlyGrows` also what came later): the live ones, or a replay in memory for the past and for a copy that another version wrote. */
export const tablesAt = ({ ledger, asOf, past }: Reading, projection: Projection): Sql =>
  (past && !projection.onlyGrows) || !inStep(ledger, projection)
    ? replayedOnce(ledger, projection, asOf.position)
    : ledger.sql;
