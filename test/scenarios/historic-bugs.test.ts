import { describe, expect, test } from 'vitest';
import type { Breach } from '../../domain/invariants/invariant.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { watchFrom } from '../../domain/invariants/watch.ts';
import type { Story } from '../domain/given.ts';
import { HISTORIC_BUGS } from './historic-bugs.ts';

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
});
