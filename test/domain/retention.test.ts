import { describe, expect, test } from 'vitest';
import { commit, keep, pin, revert, start, stop, unpin } from './commands.ts';
import type { Story } from './given.ts';
import { NEW_YEAR } from './given.ts';
import { smallHost } from './hosts.ts';

const SECONDS = NEW_YEAR / 1000;
const session = [start('work'), stop('work')];
const numbers = (story: Story): readonly number[] => story.volume('work:private').revisions.map(({ number }) => number);
const idOf = (story: Story, number: number): string =>
  story.volume('work:private').revisions.find((one) => one.number === number)?.id ?? '';

describe('retention', () => {
  test('keeps the newest revisions and retires the oldest, in the tidying part of the plan', () => {
    const story = smallHost(2).after(...session, ...session, start('work'));
    expect(numbers(story)).toEqual([1, 2]);
    const { decision } = story.when(stop('work'));
    const cleanup = decision.ok ? decision.value.plan.cleanup.filter(({ object }) => object === 'work:private') : [];
    expect(cleanup.map(({ deed }) => deed.do)).toEqual(['move', 'erase']);
    expect(numbers(story.after(stop('work')))).toEqual([2, 3]);
  });

  test('never destroys before both renames stand', () => {
    const { decision } = smallHost(1)
      .after(...session, start('work'))
      .when(stop('work'));
    const main = decision.ok ? decision.value.plan.main.map(({ deed }) => deed.do) : [];
    expect(main).not.toContain('erase');
  });

  test('of 0 keeps nothing: the replaced state goes to the trash', () => {
    const story = smallHost(0).after(...session, ...session);
    expect(numbers(story)).toEqual([]);
  });

  test('neither counts nor takes a pinned revision, and takes it after it is unpinned', () => {
    const story = smallHost(1).after(...session);
    story.after(pin('work:private', idOf(story, 1)), ...session, ...session);
    expect(numbers(story)).toEqual([1, 3]);
    story.after(unpin('work:private', idOf(story, 1)), ...session);
    expect(numbers(story)).toEqual([4]);
  });

  test('leaves pinned revisions also where snapshots are switched off (-1)', () => {
    const story = smallHost(2).after(...session, ...session);
    story.after(pin('work:private', idOf(story, 1)), keep('work:private', -1), start('work'));
    expect(numbers(story)).toEqual([1]);
  });

  test('a smaller limit takes effect at the next commit, not before', () => {
    const story = smallHost(3).after(...session, ...session, ...session, keep('work:private', 1));
    expect(numbers(story)).toEqual([1, 2, 3]);
    expect(numbers(story.after(...session))).toEqual([4]);
  });
});

describe('the number and time of a revision', () => {
  const ids = (story: Story): readonly string[] => story.volume('work:private').revisions.map(({ id }) => id);

  test('are those of the commit, as stock tools show them', () => {
    const story = smallHost(3).after(start('work')).at(100);
    story.submit(stop('work'));
    expect(ids(story)).toEqual([`${SECONDS + 100}-back`]);
  });

  test('of two commits in one second differ by a second', () => {
    const story = smallHost(3).after(start('work')).at(100);
    story.submit(commit('work:private'));
    story.submit(commit('work:private'));
    expect(ids(story)).toEqual([`${SECONDS + 100}-back`, `${SECONDS + 101}-back`]);
  });

  test('grow even when the clock was set back, because stock orders by them', () => {
    const story = smallHost(3).after(start('work')).at(100_000);
    story.submit(commit('work:private'));
    story.at(50);
    story.submit(commit('work:private'));
    expect(ids(story)).toEqual([`${SECONDS + 100_000}-back`, `${SECONDS + 100_001}-back`]);
  });

  test('are never used again, not even after the revisions that had them are gone', () => {
    const story = smallHost(1).after(
      ...session,
      ...session,
      keep('work:private', 0),
      ...session,
      keep('work:private', 1),
      ...session,
    );
    expect(numbers(story)).toEqual([3]);
  });

  test('of the newest revision is what a revert without an id takes', () => {
    const story = smallHost(3).after(...session, ...session);
    story.after(revert('work:private'));
    const reverted = story.log.map(({ event }) => event).find(({ type }) => type === 'VolumeReverted');
    expect(reverted).toMatchObject({ to: idOf(story, 2) });
  });
});
