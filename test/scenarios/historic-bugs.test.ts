import { describe, expect, test } from 'vitest';
import type { Breach } from '../../domain/invariants/invariant.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { watchFrom } from '../../domain/invariants/watch.ts';
import { firstBreach, replayLog } from '../../infrastructure/service/replay.ts';
import { replayOnModel } from '../../infrastructure/service/replay-model.ts';
import type { Story } from '../domain/given.ts';
import { HISTORIC_BUGS } from './historic-bugs.ts';
import { writeHistory } from './write-history.ts';

const breachesOf = ({ log }: Story, name?: string): readonly Breach[] => {
  const watch = watchFrom(INVARIANTS.filter((one) => name === undefined || one.name === name));
  const found = [...log.flatMap(watch.follow), ...watch.end()];
  return [...found].sort((a, b) => a.recorded.position - b.recorded.position);
};

const nameOf = ({ decided }: Story, id: string): string => decided.find((one) => one.id === id)?.command.name ?? '-';

describe('a recorded history of', () => {
  test.each(HISTORIC_BUGS)(
    '$title breaks $invariant at a $event of $command',
    ({ history, invariant, event, command }) => {
      const story = history();
      const [first] = breachesOf(story, invariant);
      expect(first && [first.recorded.event.type, nameOf(story, first.recorded.command)], first?.says).toEqual([
        event,
        command,
      ]);
    },
  );

  test.each(HISTORIC_BUGS)('$title accuses nothing that happened before the bug', ({ history, invariant }) => {
    const story = history();
    const [first] = breachesOf(story, invariant);
    const [any] = breachesOf(story);
    const decidedAt = story.decided.findLast(({ id }) => id === first?.recorded.command)?.position ?? 0;
    // The plan may be as wrong as what came of it; a command before that may have prepared it in the same go.
    const earliest = story.decided.filter(({ position }) => position <= decidedAt).at(-2)?.position ?? 0;
    expect(any?.recorded.position).toBeGreaterThanOrEqual(earliest);
  });

  test.each(HISTORIC_BUGS)(
    '$title is found in a ledger: by bisect, and by replay with both versions',
    ({ history, invariant }) => {
      const story = history();
      const [wanted] = breachesOf(story, invariant);
      const ledger = writeHistory(story);
      const all = { after: 0, to: story.log.length };
      const found = firstBreach(
        ledger,
        all,
        INVARIANTS.filter(({ name }) => name === invariant),
      );
      expect(found?.recorded.position).toBe(wanted?.recorded.position);
      const { difference, breaches } = replayLog(ledger, all, INVARIANTS);
      expect(breaches.map((one) => one.invariant)).toContain(invariant);
      const wrong = story.decided.find(({ id }) => id === difference?.command);
      expect(difference?.position, difference?.name).toBe(wrong?.position);
    },
  );

  test('a bug that shows in contents is seen on the model as well, without a look at the disks that the facts name', async () => {
    const [back] = HISTORIC_BUGS;
    const story = back?.history();
    if (!story) throw new Error('there is no such bug');
    const { breaches, steps } = await replayOnModel(
      writeHistory(story),
      { after: 0, to: story.log.length },
      INVARIANTS,
    );
    expect(steps).toBeGreaterThan(10);
    const said = breaches.filter((one) => one.invariant === 'back-is-the-previous-current').map(({ says }) => says);
    expect(said.join('\n')).toMatch(
      /revision 1999999999-back holds "work:private written from ev:\d+"; what was committed/,
    );
  });
});
