import { unwritten } from '../../domain/backup/interrupted.ts';
import type { Owner } from '../../domain/command/events.ts';
import type { Operation } from '../../domain/command/operation.ts';
import { type Command, decide } from '../../domain/decide.ts';
import { type Context, type Decision, eventsOf } from '../../domain/decision.ts';
import { type DomainEvent, type Recorded, streamOf } from '../../domain/event.ts';
import { emptyHost, evolve, type Host } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { ok } from '../../domain/result.ts';
import type { WantedText } from '../../domain/undo/wanted.ts';
import type { Archiver } from '../../infrastructure/backup/archiver.port.ts';
import { lvmModelDriver } from '../../infrastructure/drivers/lvm-model/driver.ts';
import { type MemoryFiles, memoryFiles } from '../../infrastructure/drivers/lvm-model/files.ts';
import { Killed } from '../../infrastructure/drivers/lvm-model/hands.ts';
import { createLvmModel, type LvmModel } from '../../infrastructure/drivers/lvm-model/model.ts';
import { type Fault, type FaultPoint, NO_FAULT } from '../../infrastructure/fault.ts';
import { noHypervisor } from '../../infrastructure/hypervisor/none.ts';
import type { Journal } from '../../infrastructure/runner/journal.port.ts';
import { mendPools, waits } from '../../infrastructure/runner/mend-pools.ts';
import type { Hands } from '../../infrastructure/runner/perform.ts';
import { poolsOf } from '../../infrastructure/runner/pools.ts';
import { firstOpen, type Recovered, recoverAll } from '../../infrastructure/runner/recover.ts';
import { type Ended, runOperation } from '../../infrastructure/runner/run.ts';
import { unknownDisks } from '../../infrastructure/service/observe.ts';

/** The process died at a fault point: nothing of it runs on. */
export class Crash extends Error {
  readonly point: FaultPoint;
  constructor(point: FaultPoint) {
    super(`killed ${point}`);
    this.point = point;
  }
}

/**
 * Kills at the `nth` fault point of any kind, counted from 1; never when `nth` is null. Side by side, lanes that were past
 * their last point go on to their next one, as they might have right before a kill that came a little later.
 */
export const crashAt = (nth: number | null, sideBySide = false): Fault => {
  let seen = 0;
  return {
    armed: !sideBySide,
    reach: (point) => {
      seen++;
      if (nth !== null && seen >= nth) throw new Crash(point);
    },
  };
};

const copyOfHost = (host: Host): Host => ({
  position: host.position,
  site: host.site,
  pools: new Map(host.pools),
  vms: new Map(host.vms),
  operations: new Map(host.operations),
  trash: new Map(host.trash),
  answers: new Map(host.answers),
});

export type Submitted = { readonly id: string; readonly decision: Decision; readonly ended: Ended | null };

/**
 * A host in memory: the log and its fold, two LVM models (`qubes_dom0/vm-pool` for pool `lvm`, `ssd/fast` for `ssd`), and
 * a clock. What a crash leaves is what this holds; everything else lives in the call that the crash ends.
 */
export class World {
  readonly host: Host;
  readonly log: Recorded[];
  readonly models: readonly LvmModel[];
  readonly files: MemoryFiles;
  /** epoch milliseconds */
  now = 1_767_225_600_000;
  boot = 1;
  private commands = 0;
  /** an lvm that is killed takes our process along, or only its own step */
  whenKilled: 'throw' | 'fail' = 'throw';
  /** what a disk may have allocated for a stop to wait until it is erased */
  slowBytes = 2 ** 30;
  /** what the process of the next command has to make a backup with; a recovery never has it */
  archiver: Archiver | null = null;
  /** the past that the next way back gets to see */
  wanted: WantedText | null = null;

  constructor(parts: { host: Host; log: Recorded[]; models: readonly LvmModel[]; files: MemoryFiles }) {
    this.host = parts.host;
    this.log = parts.log;
    this.models = parts.models;
    this.files = parts.files;
  }

  /** Another world, the same so far. Costs little: the models are immutable underneath. */
  fork(): World {
    const { host, log, models, files } = this;
    const fork = new World({
      host: copyOfHost(host),
      log: [...log],
      models: models.map((model) => model.clone()),
      files,
    });
    fork.now = this.now;
    fork.boot = this.boot;
    fork.commands = this.commands;
    fork.whenKilled = this.whenKilled;
    fork.slowBytes = this.slowBytes;
    fork.archiver = this.archiver;
    fork.wanted = this.wanted;
    return fork;
  }

  get model(): LvmModel {
    return this.models[0] as LvmModel;
  }

  get bootId(): string {
    return `boot-${this.boot}`;
  }

  get owner(): Owner {
    return { pid: 1000 + this.commands, startTime: '1', bootId: this.bootId };
  }

  readonly journal: Journal = {
    host: () => this.host,
    record: (command, events) => {
      this.write(command, events);
      return ok(null);
    },
  };

  private write(command: string, events: readonly DomainEvent[]): void {
    for (const event of events) {
      const position = this.host.position + 1;
      const recorded = { position, stream: streamOf(event, command), version: 0, command, time: this.now, event };
      evolve(this.host, recorded);
      this.log.push(recorded);
    }
  }

  private driverFor(pool: Pool) {
    if (pool.driver !== 'lvm_thin') throw new Error(`${pool.name} has no model`);
    const model = this.models.find((one) => one.state().volumeGroup === pool.volumeGroup);
    if (!model) throw new Error(`${pool.name} has no model`);
    return lvmModelDriver({
      model,
      files: this.files,
      models: this.models,
      whenKilled: this.whenKilled,
      slowBytes: this.slowBytes,
    });
  }

  /** Hands of a process that just started: nothing seen yet. */
  hands(fault: Fault): Hands {
    return {
      pools: poolsOf(
        () => this.host.pools,
        (pool) => this.driverFor(pool),
      ),
      hypervisor: noHypervisor,
      firewallFiles: { look: async () => ok('done'), act: async () => Promise.reject(new Error('has no files')) },
      firewallEntries: { look: async () => ok('done'), act: async () => Promise.reject(new Error('has no QubesDB')) },
      keys: { look: async () => ok('done'), act: async () => Promise.reject(new Error('has no QubesDB')) },
      fault,
      stdin: 'here',
      progress: () => () => undefined,
      withoutLease: (work) => work(),
    };
  }

  private context(): Context {
    const open = this.models.flatMap((model) =>
      [...model.state().lvs.values()].filter((lv) => lv.open > 0).map(({ uuid }) => uuid),
    );
    const uuid = `00000000-0000-4000-8000-${`${this.commands}`.padStart(12, '0')}`;
    const { now, bootId, wanted } = this;
    const base = { now, position: this.host.position + 1, bootId, uuid, open };
    return wanted ? { ...base, wanted } : base;
  }

  private async look(command: Command): Promise<Pick<Context, 'storage'>> {
    if (command.name !== 'AdoptStorage') return {};
    const seen = await unknownDisks(this.host, command.payload, this.hands(NO_FAULT).pools);
    if (!seen.ok) throw new Error(seen.error.message);
    return { storage: seen.value };
  }

  /** Decides and stores a command, without carrying it out. */
  accept(command: Command, seen: Pick<Context, 'storage'> = {}): { readonly id: string; readonly decision: Decision } {
    const id = `c${++this.commands}`;
    const decision = decide(this.host, command, { ...this.context(), ...seen });
    this.write(id, eventsOf(decision, { name: command.name, digest: id, owner: this.owner }));
    return { id, decision };
  }

  async submit(command: Command, fault: Fault = NO_FAULT): Promise<Submitted> {
    const { id, decision } = this.accept(command, await this.look(command));
    if (!this.host.operations.has(id)) return { id, decision, ended: null };
    const hands = { ...this.hands(fault), ...(this.archiver ? { archiver: this.archiver } : {}) };
    const ended = await runOperation({ command: id, journal: this.journal, hands });
    if (!ended.ok) throw new Error(ended.error.message);
    return { id, decision, ended: ended.value };
  }

  /** Submits what must go through to its end. */
  async does(...commands: readonly Command[]): Promise<this> {
    for (const command of commands) {
      this.now += 1000;
      const { decision, ended } = await this.submit(command);
      if (!decision.ok) throw new Error(`${command.name}: ${decision.error.code} ${decision.error.message}`);
      if (ended && ended.is !== 'completed') throw new Error(`${command.name}: ${ended.failure.message}`);
    }
    return this;
  }

  /** Runs a command until the fault ends the process; false when it never came to that. */
  async dies(command: Command, fault: Fault): Promise<boolean> {
    try {
      await this.submit(command, fault);
      return false;
    } catch (error) {
      if (error instanceof Crash || error instanceof Killed) return true;
      throw error;
    }
  }

  /** The host loses power: another boot, devices come up again, nobody has anything open. */
  reboot(options: { readonly autoactivate?: boolean } = {}): this {
    this.boot++;
    for (const model of this.models) model.reboot(options);
    return this;
  }

  /** What `recover` does, or, without backups, every changing command first: ends what is unfinished, notes a reboot. */
  async recover(fault: Fault = NO_FAULT, backupsToo = true): Promise<readonly Recovered[]> {
    const note = (command: Command) => ok(this.accept(command).id);
    const names = [...this.host.pools.values()].filter(({ driver }) => driver === 'lvm_thin').map(({ name }) => name);
    const mending = { pools: this.hands(fault).pools, note, rewrites: true };
    const { mended, barred } = await mendPools(names, mending);
    const recovery = { journal: this.journal, hands: this.hands(fault), owner: this.owner, lives: () => false };
    const wanted = (operation: Operation) => !waits(operation, barred) && (backupsToo || !unwritten(operation));
    const recovered = await recoverAll(recovery, wanted);
    if (!recovered.ok) throw new Error(recovered.error.message);
    const died = [...this.host.vms.values()].some(
      ({ power }) => power.is === 'running' && power.bootId !== this.bootId,
    );
    if (died && barred.size === 0) await this.submit({ name: 'RecordReboot', payload: { bootId: this.bootId } }, fault);
    return [...mended, ...recovered.value];
  }

  /** What `backup resume` does once the passphrase is proven; the archiver knows what is there already. */
  async resume(command: string, fault: Fault = NO_FAULT): Promise<Ended> {
    const operation = this.host.operations.get(command);
    if (!operation) throw new Error(`${command} is not open`);
    this.write(command, [{ type: 'CommandResumed', owner: this.owner, from: firstOpen(operation) }]);
    const hands = { ...this.hands(fault), ...(this.archiver ? { archiver: this.archiver } : {}) };
    const ended = await runOperation({ command, journal: this.journal, hands, resumed: true });
    if (!ended.ok) throw new Error(ended.error.message);
    return ended.value;
  }

  async recoveryDies(fault: Fault): Promise<boolean> {
    try {
      await this.recover(fault);
      return false;
    } catch (error) {
      if (error instanceof Crash || error instanceof Killed) return true;
      throw error;
    }
  }
}

export const newWorld = (): World =>
  new World({
    host: emptyHost(),
    log: [],
    models: [createLvmModel({ poolBytes: 2 ** 30 }), createLvmModel({ volumeGroup: 'ssd', thinPool: 'fast', seed: 2 })],
    files: memoryFiles(),
  });
