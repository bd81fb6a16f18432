import { afterAll, describe, expect, test } from 'vitest';
import type { Command } from '../../domain/decide.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import * as to from '../domain/commands.ts';
import { afterReboot, type Oracle, written } from '../runner/oracle.ts';
import { Crash, crashAt } from '../runner/world.ts';
import type { Hands } from './hands.ts';
import { type LvmHost, lvmHost } from './lvm-host.ts';
import {
  examined,
  expectedAfter,
  expectedIn,
  imageAt,
  leave,
  mustLive,
  type ScriptedHost,
  settleIn,
} from './scripted-host.ts';

const MIB = 2 ** 20;
const SMALL_HOST: readonly Command[] = [
  to.templateVm('fedora'),
  to.appVm('work', { template: 'fedora' }),
  to.addVolume('work:data'),
  to.start('work'),
  to.stop('work'),
];

/** A host on which a command is given again and again, each time from where it means something. */
type Stage = { readonly scripted: ScriptedHost; readonly host: LvmHost; readonly round: number };

const does = ({ scripted }: Stage, ...commands: readonly Command[]): Promise<void> =>
  commands.reduce<Promise<void>>(
    (before, command) => before.then(() => mustLive(scripted, command)),
    Promise.resolve(),
  );

/** Everything halted and nothing waiting for a decision. */
const quiet = async (stage: Stage): Promise<void> => {
  for (const vm of stage.host.host().vms.values()) {
    if (vm.class === 'AdminVM') continue;
    if (vm.power.is === 'running') await does(stage, to.stop(vm.name));
    for (const { spec, situation } of volumesOf(vm))
      if (situation.is === 'dirty') await does(stage, to.discard(spec.key));
  }
};

const writes = async ({ scripted, host, round }: Stage, key: string): Promise<void> => {
  const text = `round ${round} of ${key}`;
  await host.vmWrites(key, text.padEnd(32, '\0'));
  scripted.oracle = written(scripted.oracle, key, text);
};

const KEY = 'work:private';

const running = async (stage: Stage): Promise<void> => {
  await quiet(stage);
  await does(stage, to.start('work'));
  await writes(stage, KEY);
};

const dirty = async (stage: Stage): Promise<void> => {
  await running(stage);
  await stage.host.reboots();
  await stage.host.recover();
  stage.scripted.oracle = afterReboot(stage.scripted.oracle);
};

const exists = (stage: Stage, vm: string): boolean => stage.host.vm(vm) !== undefined;

/** Brings the host to where the command can be given, and gives the command. */
type Prepare = (stage: Stage) => Promise<Command>;

const once =
  (ready: (stage: Stage) => Promise<void>, make: (stage: Stage) => Command | Promise<Command>): Prepare =>
  async (stage) => {
    await ready(stage);
    return make(stage);
  };

const sizeOf = ({ host }: Stage): number => host.info('work:data').size;

/** Every command that changes disks. */
const CASES: Readonly<Record<string, Prepare>> = {
  'vm start': once(quiet, () => to.start('work')),
  'vm stop': once(running, () => to.stop('work')),
  'vm stop --discard': once(running, () => to.stopDiscarding('work')),
  'vm kill': once(running, () => to.kill('work')),
  'volume commit of a running VM': once(running, () => to.commit(KEY)),
  'volume commit of what a crash left': once(dirty, () => to.commit(KEY)),
  'volume discard of what a crash left': once(dirty, () => to.discard(KEY)),
  'vm start with what a crash left': once(dirty, () => to.start('work')),
  'volume revert': once(quiet, () => to.revert(KEY)),
  'volume resize': once(quiet, (stage) => to.resize('work:data', sizeOf(stage) + 4 * MIB)),
  'volume resize --shrink': once(quiet, (stage) => to.resize('work:data', sizeOf(stage) - 4 * MIB, true)),
  'volume import': once(quiet, async (stage) => {
    const command = to.importFile(KEY);
    const from = await imageAt(stage.scripted, `image${stage.round}`);
    return { ...command, payload: { ...command.payload, from } } as Command;
  }),
  'volume clone': once(quiet, () => to.cloneVolume('work:data', KEY)),
  'volume add': once(
    async (stage) => {
      await quiet(stage);
      if (stage.host.vm('work')?.volumes['extra' as never]) await does(stage, to.removeVolume('work:extra'));
    },
    () => to.addVolume('work:extra'),
  ),
  'volume remove': once(
    async (stage) => {
      await quiet(stage);
      if (!stage.host.vm('work')?.volumes['extra' as never]) await does(stage, to.addVolume('work:extra'));
    },
    () => to.removeVolume('work:extra'),
  ),
  'vm create': once(
    async (stage) => {
      await quiet(stage);
      if (exists(stage, 'alone')) await does(stage, to.removeVm('alone'));
    },
    () => to.standaloneVm('alone'),
  ),
  'vm clone': once(
    async (stage) => {
      await quiet(stage);
      if (exists(stage, 'copy')) await does(stage, to.removeVm('copy'));
    },
    () => to.cloneVm('work', 'copy'),
  ),
  'vm remove': once(
    async (stage) => {
      await quiet(stage);
      if (!exists(stage, 'copy')) await does(stage, to.cloneVm('work', 'copy'));
    },
    () => to.removeVm('copy'),
  ),
};

const dies = async ({ host }: Stage, command: Command, point: number): Promise<boolean> => {
  try {
    const { failure } = await host.submit(command, crashAt(point));
    if (failure) throw new Error(`${command.name}: ${failure.code} ${failure.message}`);
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    host.dies();
    return true;
  }
};

type Allowed = { readonly where: string; readonly states: readonly Oracle[] };

/** In one of the allowed states, sound, and as the log says; gives that state. */
const insist = async (host: LvmHost, { where, states }: Allowed): Promise<Oracle> => {
  const { fsck, log, contents } = await examined(host);
  expect({ where, fsck, log }).toEqual({ where, fsck: [], log: [] });
  expect(states.map(expectedIn), where).toContainEqual(contents);
  const found = states.find((state) => JSON.stringify(expectedIn(state)) === JSON.stringify(contents));
  return found ?? (states[0] as Oracle);
};

/** One round; false when the command came to its end before the fault point. */
const visit = async (stage: Stage, prepare: Prepare, point: number): Promise<boolean> => {
  const { scripted, host } = stage;
  const command = await prepare(stage);
  const next = await expectedAfter(scripted, command);
  const died = await dies(stage, command, point);
  const rebooted = died && point % 4 === 0;
  if (rebooted) await host.reboots();
  await host.recover();
  const states = died ? [scripted.oracle, next] : [next];
  const where = `${command.name}, ${died ? `killed at fault point ${point}` : 'undisturbed'}${rebooted ? ', rebooted' : ''}`;
  scripted.oracle = await insist(host, { where, states: rebooted ? states.map(afterReboot) : states });
  return died;
};

type Place = { readonly host: LvmHost; readonly scripted: ScriptedHost };

/** One host for all commands: what one left behind is what the next one meets. */
const settled = async (hands: Hands): Promise<Place> => {
  const host = await lvmHost(hands);
  return { host, scripted: await settleIn([host], SMALL_HOST) };
};

/** Which fault points of a command are visited: from `first` in steps of `by`, at most `most`; 1, 1, Infinity is all. */
export type Points = { readonly first: number; readonly by: number; readonly most: number };

/** For the command of that index; null leaves it out. */
export type PointsOf = (index: number) => Points | null;

/**
 * Kills our process at fault points of every command that changes disks and recovers: each ends in the state before or
 * after it, and the commands that follow find a host on which they work.
 */
export const crashes = (name: string, hands: () => Promise<Hands>, pointsOf: PointsOf): void => {
  describe(name, () => {
    let place: Place | null = null;
    const leaveAt = async (): Promise<void> => {
      const left = place;
      place = null;
      if (left) await leave(left.scripted);
      await left?.host.cleanup();
    };
    afterAll(leaveAt);
    for (const [index, [title, prepare]] of Object.entries(CASES).entries()) {
      const points = pointsOf(index);
      if (!points) {
        test.skip(`${title}, killed (only in npm run lab:full)`, () => undefined);
        continue;
      }
      const { first, by, most } = points;
      const which = most === Infinity ? 'every fault point' : `fault point ${first}`;
      test(`${title}, killed at ${which}, is undone or done`, { timeout: 1_800_000 }, async () => {
        place ??= await settled(await hands());
        const { host, scripted } = place;
        try {
          let visited = 0;
          for (let point = first; visited < most; point += by) {
            visited++;
            if (!(await visit({ scripted, host, round: point }, prepare, point))) break;
          }
        } catch (error) {
          // The next command starts from a host that is known to be sound.
          await leaveAt();
          throw error;
        }
      });
    }
  });
};
