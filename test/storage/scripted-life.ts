import fc from 'fast-check';
import { expect } from 'vitest';
import { choices } from '../runner/choices.ts';
import { clock } from './clock.ts';
import type { LvmHost } from './lvm-host.ts';
import { examined, expectedIn, LARGE_HOST, leave, settleIn, turn } from './scripted-host.ts';

type Life = {
  readonly seed: number;
  readonly commands: number;
  /** how many commands go through between two looks at a place, for each of the hosts */
  readonly looks: readonly number[];
  /** is told of each command that all hosts lived through */
  readonly onLived?: (where: string) => void;
};

/**
 * Lives a host's life in all places at once. After the commands that `looks` names, each place must be sound, agree with
 * its log, hold what a person expects, and list the same LVs as the first one.
 */
export const liveThrough = async (hosts: readonly LvmHost[], life: Life): Promise<void> => {
  const { seed, commands, looks, onLived } = life;
  const [draws = []] = fc.sample(choices(20 * commands), { seed, numRuns: 1 });
  clock.set(1_767_225_600_000);
  const scripted = await settleIn(hosts, LARGE_HOST);
  try {
    let done = 0;
    for (const [index, choice] of draws.entries()) {
      const command = await turn(scripted, choice, index);
      if (!command) continue;
      done++;
      const where = `seed ${seed}, command ${done} (draw ${index}): ${command.name} ${JSON.stringify(command.payload)}`;
      const [own] = hosts;
      const rows = own ? (await examined(own)).rows : [];
      for (const [at, host] of hosts.entries()) {
        if (done % (looks[at] ?? 1) !== 0 && done !== commands) continue;
        const seen = await examined(host);
        expect({ where, ...seen }).toEqual({ where, fsck: [], log: [], contents: expectedIn(scripted.oracle), rows });
      }
      onLived?.(where);
      if (done === commands) return;
    }
    throw new Error(`seed ${seed} had only ${done} commands that went through`);
  } finally {
    clock.release();
    await leave(scripted);
  }
};
