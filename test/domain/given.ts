import { expect } from 'vitest';
import { type Command, decide } from '../../domain/decide.ts';
import { type Context, type Decision, eventsOf, stepsOf } from '../../domain/decision.ts';
import { wordsOfDeed } from '../../domain/deed-words.ts';
import type { Disk, DiskId, DiskRef } from '../../domain/disk.ts';
import type { DiskDifference } from '../../domain/drift/difference.ts';
import { type DomainEvent, type Fact, type Recorded, streamOf } from '../../domain/event.ts';
import type { Code } from '../../domain/failure.ts';
import { emptyHost, evolve, type Host, volumeOf } from '../../domain/host/host.ts';
import type { VmName, VolumeKey } from '../../domain/names.ts';
import type { SeenUsage } from '../../domain/pool/usage.ts';
import { bind, type Plan, type Step, type Template } from '../../domain/steps.ts';
import type { WantedText } from '../../domain/undo/wanted.ts';
import type { Vm } from '../../domain/vm/vm.ts';
import type { Volume } from '../../domain/volume/volume.ts';

/** 2026-01-01T00:00:00Z. */
export const NEW_YEAR = 1_767_225_600_000;
export const OWNER = { pid: 4242, startTime: '1', bootId: 'boot-1' };

export type Decided = {
  readonly id: string;
  readonly command: Command;
  readonly context: Context;
  readonly position: number;
};

/** Steps in words, `VM:VOLUME: move current -> revision 1`; cleanup steps come after those marked as main. */
export const wordsOf = (steps: readonly Step[]): readonly string[] =>
  steps.map(({ object, deed }) => `${object}: ${wordsOfDeed(deed)}`);

/** How the record of a plan differs from one that simply went through. */
export type Course = {
  readonly found?: ReadonlySet<number>;
  readonly steps?: number;
  /** records the failure itself and gives true; false for steps that succeed */
  readonly failing?: (step: Step) => boolean;
};

/** A log in memory and the state folded from it. Disks are made up: the n-th has the id `disk-n`. */
export class Story {
  readonly host: Host = emptyHost();
  readonly log: Recorded[] = [];
  readonly decided: Decided[] = [];
  now = NEW_YEAR;
  bootId = 'boot-1';
  open: readonly string[] = [];
  /** how full the pools are seen to be; null: nobody looked */
  usage: SeenUsage | null = null;
  /** where the pools are seen to differ from the log; null: nobody looked */
  drift: readonly DiskDifference[] | null = null;
  /** the past that the next way back gets to see */
  wanted: WantedText | null = null;
  private readonly disks = new Map<DiskId, Disk>();
  private disksMade = 0;

  record(command: string, events: readonly DomainEvent[]): void {
    for (const event of events) {
      const position = this.host.position + 1;
      const plain = JSON.parse(JSON.stringify(event)) as DomainEvent;
      const recorded = {
        position,
        stream: streamOf(plain, command),
        version: 0,
        command,
        time: this.now,
        event: plain,
      };
      evolve(this.host, recorded);
      this.log.push(recorded);
    }
  }

  context(): Context {
    const uuid = `00000000-0000-4000-8000-${`${this.decided.length}`.padStart(12, '0')}`;
    const base = { now: this.now, position: this.host.position + 1, bootId: this.bootId, uuid, open: this.open };
    return {
      ...base,
      ...(this.usage && { usage: this.usage }),
      ...(this.drift && { drift: this.drift }),
      ...(this.wanted && { wanted: this.wanted }),
    };
  }

  /** Decides a command and stores the decision, as `accept` does; its steps are still to come. */
  accept(command: Command): { readonly id: string; readonly decision: Decision } {
    const id = `c${this.decided.length + 1}`;
    const context = this.context();
    const decision = decide(this.host, command, context);
    this.decided.push({ id, command, context, position: context.position });
    this.record(id, eventsOf(decision, { name: command.name, digest: id, owner: OWNER }));
    return { id, decision };
  }

  /** A whole command, every step of which succeeds. */
  submit(command: Command): Decision {
    const { id, decision } = this.accept(command);
    if (decision.ok) this.carryOut(id, decision.value.plan);
    return decision;
  }

  private touched({ deed }: Step, made: ReadonlyMap<number, Disk>): Disk | null {
    const known = (ref: DiskRef): Disk => {
      // A step after the one that made it may have changed its size.
      const disk = this.disks.get('id' in ref ? ref.id : (made.get(ref.madeBy)?.id ?? ('none' as DiskId)));
      if (!disk) throw new Error(`${JSON.stringify(ref)} is no disk of this story`);
      return disk;
    };
    const fresh = (bytes: number): Disk => ({ id: `disk-${++this.disksMade}` as DiskId, bytes });
    switch (deed.do) {
      case 'create':
        return fresh(deed.bytes);
      case 'snapshot':
        return fresh(known(deed.of).bytes);
      case 'resize':
        return { id: known(deed.disk).id, bytes: deed.bytes };
      case 'writeFirewall':
      case 'publishFirewall':
      case 'writeKeys':
      case 'archive':
      case 'deliver':
      case 'startDomain':
      case 'stopDomain':
        return null;
      default:
        return known(deed.disk);
    }
  }

  /**
   * Records every step of an accepted plan as done, those in `found` as done already; the one `failing` says how it fails.
   * `steps`: how many of them; when it is given, the command goes no further.
   */
  carryOut(id: string, plan: Plan, { found, steps, failing }: Course = {}): void {
    if (stepsOf(plan).length === 0) return;
    const made = new Map<number, Disk>();
    const last = plan.main.length;
    const evidence = { argv: [], exitCode: 0, stderr: '', durationMs: 0 };
    for (const step of stepsOf(plan).slice(0, steps)) {
      if (failing?.(step)) continue;
      const disk = this.touched(step, made);
      if (disk) {
        this.disks.set(disk.id, disk);
        made.set(step.n, disk);
      }
      const { n, object, deed } = step;
      const facts = n === last ? plan.facts : (step.then ?? []);
      const done = {
        type: 'StepDone',
        n,
        object,
        words: wordsOfDeed(deed),
        found: found?.has(n) ?? false,
        disk,
        before: null,
        after: null,
        evidence,
      } as const;
      this.record(id, [done, ...facts.map((fact: Template<Fact>) => bind<Fact>(fact, made))]);
    }
    if (steps === undefined) this.record(id, [{ type: 'CommandCompleted', leftover: [] }]);
  }

  vm(name: string): Vm {
    const vm = this.host.vms.get(name as VmName);
    if (!vm) throw new Error(`there is no VM ${name}`);
    return vm;
  }

  volume(key: string): Volume {
    const volume = volumeOf(this.host, key as VolumeKey);
    if (!volume) throw new Error(`there is no volume ${key}`);
    return volume;
  }

  /** The given commands, one second apart, every one of which must be accepted. */
  after(...commands: readonly Command[]): this {
    for (const command of commands) {
      this.now += 1000;
      const decision = this.submit(command);
      if (!decision.ok) throw new Error(`${command.name}: ${decision.error.code} ${decision.error.message}`);
    }
    return this;
  }

  /** Sets the clock, in seconds after NEW_YEAR. */
  at(seconds: number): this {
    this.now = NEW_YEAR + seconds * 1000;
    return this;
  }

  /** What would be decided now. Nothing is stored. */
  when(command: Command): Expectation {
    return expectation(decide(this.host, command, this.context()));
  }
}

export type Expectation = {
  readonly decision: Decision;
  /** the whole main part of the plan, step by step */
  readonly thenPlan: (words: readonly string[]) => Expectation;
  /** the whole tidying part of the plan */
  readonly thenCleanup: (words: readonly string[]) => Expectation;
  /** facts that hold after the main steps, each given by the fields that matter, in order */
  readonly thenFacts: (facts: readonly object[]) => Expectation;
  readonly thenRejected: (code: Code, sentence?: string | RegExp) => Expectation;
  /** accepted, and nothing happens */
  readonly thenNothing: () => Expectation;
};

const planOf = (decision: Decision): Plan => {
  if (!decision.ok) throw new Error(`refused: ${decision.error.code} ${decision.error.message}`);
  return decision.value.plan;
};

const expectation = (decision: Decision): Expectation => {
  const self: Expectation = {
    decision,
    thenPlan: (words) => {
      expect(wordsOf(planOf(decision).main)).toEqual(words);
      return self;
    },
    thenCleanup: (words) => {
      expect(wordsOf(planOf(decision).cleanup)).toEqual(words);
      return self;
    },
    thenFacts: (facts) => {
      expect(planOf(decision).facts).toMatchObject(facts);
      return self;
    },
    thenRejected: (code, sentence) => {
      expect(decision.ok ? 'accepted' : decision.error.code).toBe(code);
      if (!decision.ok && sentence !== undefined) expect(decision.error.message).toMatch(sentence);
      return self;
    },
    thenNothing: () => {
      expect(planOf(decision)).toEqual({ main: [], facts: [], cleanup: [] });
      return self;
    },
  };
  return self;
};

/** A state, from facts or empty. */
export const given = (facts: readonly Fact[] = []): Story => {
  const story = new Story();
  story.record('given', facts);
  return story;
};
