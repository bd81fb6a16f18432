import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { driverFor, PROJECTIONS } from '../../bin/compose.ts';
import type { Command } from '../../domain/decide.ts';
import type { FirewallFact } from '../../domain/firewall/events.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { NO_FAULT } from '../../infrastructure/fault.ts';
import { noHypervisor } from '../../infrastructure/hypervisor/none.ts';
import { pageOfEvents } from '../../infrastructure/ledger/event-pages.ts';
import { foldTo } from '../../infrastructure/ledger/fold.ts';
import { closeLedger, type Ledger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { parseStat } from '../../infrastructure/ledger/process-identity.ts';
import { catchUp } from '../../infrastructure/ledger/projections.ts';
import { attendDaemon, qubesDbAt } from '../../infrastructure/qubesdb/choose.ts';
import { type Serving, serve } from '../../infrastructure/serve/serve.ts';
import type { Turned } from '../../infrastructure/serve/turn.ts';
import { type Home, homeAt } from '../../infrastructure/service/home.ts';
import { publishQubesXml } from '../../infrastructure/service/publish.ts';
import { type Service, serviceOf } from '../../infrastructure/service/service.ts';
import { submit } from '../../infrastructure/service/submit.ts';
import { qubesXml } from '../../projections/qubes-xml/qubes-xml.ts';
import * as to from '../domain/commands.ts';
import { must } from '../ledger/fixture.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';

const START = 1_800_000_000_000;

const USER = { user: 'ada', uid: 1000, loginUid: 1000, tty: null, tool: 'domtrail', argv: [], source: null };

/** One expiry as the log has it: of which VM, how long after the beginning of the test, and in whose name. */
type Expiry = { readonly vm: string; readonly ms: number; readonly by: string | undefined };

/** A home with VMs, a clock that is set by hand, and a `serve` that can be started, killed and started again. */
export class World {
  readonly home: Home;
  readonly clock: FakeClock;
  readonly told: string[] = [];
  ledger: Ledger;
  private epoch = START;
  private begun = 0;
  private serving: { readonly one: Serving; readonly stop: () => Promise<void> } | null = null;

  constructor(dir: string) {
    this.home = homeAt(dir);
    this.clock = fakeClock(START, () => this.settled());
    this.ledger = must(openLedger(this.home.ledger, 'create', PROJECTIONS));
    must(catchUp(this.ledger));
  }

  private service(tool?: string): Service {
    const { home, ledger, clock } = this;
    return serviceOf({
      home,
      ledger,
      driverFor,
      hypervisor: noHypervisor,
      qubesDb: qubesDbAt(home.qubesDb),
      fault: NO_FAULT,
      stateAt: (position) => foldTo(ledger, position),
      publish: () => publishQubesXml(ledger, home, qubesXml),
      progress: () => () => undefined,
      waitMs: 0,
      now: clock.now,
      ...(tool ? { tool } : {}),
    });
  }

  /** A command as another program would give it. Its failure's code, or 'done'. */
  async gives(command: Command): Promise<string> {
    const submitted = await submit(this.service(), { command, id: null, reason: null, actor: USER });
    await this.settled();
    return submitted.ok ? (submitted.value.failure?.code ?? 'done') : submitted.error.code;
  }

  async sets(vm: string, ...rules: readonly string[]): Promise<void> {
    await this.does(to.setFirewall(vm, rules));
  }

  /** Commands that must succeed. */
  async does(...commands: readonly Command[]): Promise<void> {
    for (const one of commands) {
      const ended = await this.gives(one);
      if (ended !== 'done') throw new Error(`${one.name} ${JSON.stringify(one.payload)}: ${ended}`);
    }
  }

  /** A new beginning: no rules, no serve, and a full second on the clock. */
  async begins(): Promise<void> {
    await this.stops();
    await this.clock.pass(1000 - (this.clock.now() % 1000));
    for (const name of ['work', 'mail']) await this.sets(name, 'action=drop');
    this.epoch = this.clock.now();
    this.begun = this.head();
    this.told.length = 0;
  }

  /** Epoch seconds so many seconds after the beginning, as `expire=` has them. */
  after(seconds: number): number {
    return this.epoch / 1000 + seconds;
  }

  async starts(): Promise<void> {
    const ending = new AbortController();
    const tell = (turned: { ok: true; value: Turned } | { ok: false; error: { code: string } }): void => {
      if (!turned.ok) this.told.push(turned.error.code);
      else for (const { name, outcome } of turned.value.done) this.told.push(`${name} ${outcome}`);
    };
    const { clock } = this;
    const one = serve({
      service: this.service('serve'),
      clock,
      attend: attendDaemon,
      tell,
      signal: ending.signal,
      pollMs: 5,
    });
    const stop = async (): Promise<void> => {
      ending.abort();
      await one.ended;
    };
    this.serving = { one, stop };
    await this.settled();
  }

  async stops(): Promise<void> {
    await this.serving?.stop();
    this.serving = null;
  }

  /** Nothing is being done, and nothing that happened is still unseen. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      await turnOfTheLoop();
      await this.serving?.one.atRest();
    }
  }

  /** The rules that lie in the QubesDB of a VM's netvm for an address. */
  async published(netvm: string, address: string): Promise<readonly string[]> {
    const all = must(await qubesDbAt(this.home.qubesDb).read(netvm, `/qubes-firewall/${address}`));
    return [...all].flatMap(([path, value]) => (/\/[0-9]{4}$/.test(path) ? [value] : []));
  }

  expiries(): readonly Expiry[] {
    const range = { after: this.begun, upTo: Number.MAX_SAFE_INTEGER, limit: 1_000_000, newestFirst: false };
    const all = pageOfEvents(this.ledger, { by: 'type', value: 'FirewallChanged' }, range);
    return all.flatMap(({ recorded, actor }) => {
      const { vm, cause } = recorded.event as Extract<FirewallFact, { type: 'FirewallChanged' }>;
      return cause === 'expired' ? [{ vm, ms: recorded.time - this.epoch, by: actor?.tool }] : [];
    });
  }

  head(): number {
    return this.ledger.db.prepare('SELECT max(position) FROM events').pluck().get() as number;
  }

  /** The lease is held by a process that lives and is not this one; null: by nobody. */
  leaseOf(pid: number | null): void {
    const other = must(openLedger(this.home.ledger, 'write', PROJECTIONS));
    const stat = pid === null ? null : parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const start = stat?.is === 'running' ? stat.startTime : null;
    const boot = pid === null ? null : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    other.db
      .prepare('UPDATE lease SET token = token + 1, pid = ?, start_time = ?, boot_id = ?, command = ?')
      .run(pid, start, boot, pid === null ? null : 'long');
    closeLedger(other);
  }

  async close(): Promise<void> {
    await this.stops();
    closeLedger(this.ledger);
    rmSync(this.home.dir, { recursive: true, force: true });
  }
}

const worlds: World[] = [];
afterAll(async () => {
  for (const one of worlds.splice(0)) await one.close();
});

/** `work` (10.137.0.3) and `mail` (10.137.0.4) run behind `net`, which runs too. For all tests of a file. */
export const worldWithNetwork = async (): Promise<World> => {
  const world = new World(mkdtempSync(join(tmpdir(), 'domtrail-serve-')));
  worlds.push(world);
  const pool = to.filePool('default', { dir: world.home.pool('default') });
  must(await driverFor(pool as unknown as Pool).prepare());
  await world.does(to.init(pool), to.templateVm('debian'));
  for (const name of ['net', 'work', 'mail']) await world.does(to.appVm(name, { template: 'debian' }));
  await world.does(to.setProperty('net', 'provides_network', 'True'), to.setProperty('net', 'netvm', ''));
  for (const name of ['work', 'mail']) await world.does(to.setProperty(name, 'netvm', 'net'));
  await world.does(to.start('net'), to.start('work'), to.start('mail'));
  return world;
};
