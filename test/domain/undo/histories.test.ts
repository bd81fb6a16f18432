import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../domain/decision.ts';
import { INVARIANTS } from '../../../domain/invariants/invariants.ts';
import { watchFrom } from '../../../domain/invariants/watch.ts';
import { type Choice, choices, commandFor } from '../../runner/choices.ts';
import * as to from '../commands.ts';
import type { Story } from '../given.ts';
import { wideHost } from '../hosts.ts';
import { meaningOf } from './meaning.ts';
import { redo, undo } from './past.ts';

const SEED = Number(process.env['DOMTRAIL_EXPLORE_SEED'] ?? 20_260_101);
const VOLUME = /\S+:\w+/;

type Meaning = ReturnType<typeof meaningOf>;

/** Settings, in among the commands that move disks about. */
const settingFor = ({ a, b, c }: Choice, story: Story) => {
  const [vm = 'work'] = [...story.host.vms.keys()].filter((name) => name !== 'dom0').slice(a % 3);
  const kinds = [
    () => to.setProperty(vm, 'memory', c % 3 ? `${400 + (c % 7)}` : null),
    () => to.setProperty(null, 'default_kernel', `6.${c % 5}`),
    () => to.setFeature(vm, `f${c % 3}`, b % 2 ? `${c % 4}` : null),
    () => to.setTag(vm, `t${c % 3}`, b % 3 > 0),
    () => to.setNotes(vm, b % 3 ? `note ${c % 3}` : ''),
    () => to.setFirewall(vm, c % 2 ? ['action=drop'] : ['action=accept', 'action=drop']),
    () => to.setLabel(`l${c % 2}`, b % 3 ? `0x00000${b % 10}` : null),
    () => to.setReserve('lvm', c % 2 ? { data: c % 20, metadata: 10 } : null),
    () =>
      to.setDevice(vm, {
        class: 'block',
        backend: 'work',
        id: `d${c % 3}`,
        identity: '*',
        mode: b % 3 ? 'required' : null,
        options: [],
      }),
  ] as const;
  return (kinds[b % kinds.length] ?? kinds[0])();
};

/** A history; gives what every position meant at the end of a command. */
const live = (story: Story, draws: readonly Choice[]): Map<number, Meaning> => {
  const meanings = new Map([[story.host.position, meaningOf(story.host, story.log)]]);
  for (const choice of draws) {
    story.now += 1000;
    const command = choice.kind % 3 === 0 ? settingFor(choice, story) : commandFor(choice, story.host);
    if (command) story.submit(command);
    meanings.set(story.host.position, meaningOf(story.host, story.log));
  }
  return meanings;
};

const told = (decision: Decision): readonly string[] => (decision.ok ? (decision.value.remarks ?? []) : []);

/** Leaves out what was said not to come back. */
const without = (meaning: Meaning, remarks: readonly string[]): unknown => {
  const plain = structuredClone(meaning) as unknown as {
    vms: Record<string, { properties: Record<string, string>; volumes: Record<string, unknown> }>;
  };
  for (const remark of remarks) {
    const [vm = '', volume = ''] = (VOLUME.exec(remark)?.[0] ?? '').split(':');
    if (/written over|had no disk|lies elsewhere/.test(remark)) delete plain.vms[vm]?.volumes[volume];
    const renumbered = /^(\S+) gets the number/.exec(remark)?.[1];
    if (renumbered) delete plain.vms[renumbered]?.properties['qid'];
  }
  return plain;
};

const insistOnInvariants = ({ log }: Story): void => {
  const watch = watchFrom(INVARIANTS);
  const breaches = [...log.flatMap(watch.follow), ...watch.end()];
  expect(breaches.map(({ invariant, object, says }) => `${invariant}: ${object}: ${says}`)).toEqual([]);
};

const destroysNothing = (decision: Decision): void => {
  if (!decision.ok) throw new Error(`${decision.error.code} ${decision.error.message}`);
  const { main, cleanup } = decision.value.plan;
  expect(cleanup).toEqual([]);
  expect(main.filter(({ deed }) => deed.do === 'erase')).toEqual([]);
};

describe('any history', () => {
  let undone = 0;
  let redone = 0;
  let refused = 0;

  test('goes back as far as it says it can, state by state, and forward again to where it was', {
    timeout: 60_000,
  }, () => {
    const property = fc.property(choices(30, 5), (draws) => {
      const story = wideHost();
      const meanings = live(story, draws);
      const end = meaningOf(story.host, story.log);
      const remarks: string[] = [];
      let steps = 0;
      for (let went = undo(story); went; went = undo(story)) {
        if (!went.decision.ok) {
          expect(went.decision.error.next ?? went.decision.error.message).not.toBe('');
          refused++;
          break;
        }
        destroysNothing(went.decision);
        remarks.push(...told(went.decision));
        const then = meanings.get(went.position);
        if (then) expect(without(meaningOf(story.host, story.log), remarks)).toEqual(without(then, remarks));
        steps++;
        story.now += 1000;
      }
      undone += steps;
      for (let went = redo(story); went; went = redo(story)) {
        destroysNothing(went.decision);
        remarks.push(...told(went.decision));
        redone++;
        steps--;
        story.now += 1000;
      }
      expect(steps).toBe(0);
      expect(without(meaningOf(story.host, story.log), remarks)).toEqual(without(end, remarks));
      insistOnInvariants(story);
    });
    fc.assert(property, { seed: SEED, numRuns: 30 });
    expect(undone).toBeGreaterThan(80);
    expect(redone).toBe(undone);
    expect(refused).toBeGreaterThan(0);
  });
});
