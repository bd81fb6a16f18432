import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { PROJECTIONS } from '../../bin/compose.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { writeBundle } from '../../infrastructure/export/write-bundle.ts';
import { type Ledger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { firstBreach, replayLog } from '../../infrastructure/service/replay.ts';
import { replayOnModel } from '../../infrastructure/service/replay-model.ts';
import * as to from '../domain/commands.ts';
import type { Story } from '../domain/given.ts';
import { smallHost } from '../domain/hosts.ts';
import { must, temporaryDirectory } from '../ledger/fixture.ts';
import { HISTORIC_BUGS } from './historic-bugs.ts';
import { writeHistory } from './write-history.ts';

let story: Story;
let ledger: Ledger;
let positions: readonly number[];

beforeEach(() => {
  story = smallHost().after(
    to.appVm('mail', { template: 'fedora' }),
    to.start('work'),
    to.stop('work'),
    to.start('work'),
    to.removeVm('mail'),
    to.stop('work'),
  );
  ledger = writeHistory(story);
  positions = story.log.map(({ position }) => position).slice(0, -1);
});

/** The commands that were open after an event, by the log itself. */
const openAfter = (position: number): readonly string[] => {
  const open = new Set<string>();
  for (const { event, command } of story.log.slice(0, position)) {
    if (event.type === 'CommandAccepted' && event.plan.main.length > 0) open.add(command);
    if (event.type === 'CommandCompleted') open.delete(command);
  }
  return [...open];
};

describe('a replay that begins anywhere', () => {
  test('finds nothing broken in a sound log, neither by the recorded steps nor on the model', async () => {
    const to_ = story.log.length;
    for (const after of positions.filter((position) => position % 3 > 0)) {
      const { breaches, difference, events } = replayLog(ledger, { after, to: to_ }, INVARIANTS);
      expect({ after, breaches, difference, events }).toEqual({
        after,
        breaches: [],
        difference: null,
        events: to_ - after,
      });
    }
    for (const after of positions.filter((position) => position % 5 === 0)) {
      expect(firstBreach(ledger, { after, to: to_ }, INVARIANTS)).toBeNull();
      expect((await replayOnModel(ledger, { after, to: to_ }, INVARIANTS)).breaches).toEqual([]);
    }
  });

  test('inside a command goes on from before it, and says which command that was', () => {
    const inside = positions.filter((position) => openAfter(position).length > 0);
    expect(inside.length).toBeGreaterThan(20);
    for (const after of inside.filter((_, index) => index % 3 === 0)) {
      const { start } = replayLog(ledger, { after, to: story.log.length }, INVARIANTS);
      expect(start.under.map(({ command }) => command)).toEqual(openAfter(after));
      expect(start.after).toBe((start.under[0]?.position ?? 0) - 1);
    }
  });

  test('tells only of what it was asked for: a breach before the range is none in it', () => {
    for (const { history, invariant } of HISTORIC_BUGS.slice(0, 4)) {
      const broken = history();
      const log = writeHistory(broken);
      const to_ = broken.log.length;
      const wanted = INVARIANTS.filter(({ name }) => name === invariant);
      const first = firstBreach(log, { after: 0, to: to_ }, wanted)?.recorded.position ?? 0;
      const later = replayLog(log, { after: first, to: to_ }, wanted).breaches;
      expect(later.every(({ recorded }) => recorded.position > first)).toBe(true);
    }
  });

  test('of a bundle that itself begins inside a command says nothing about what that one holds', async () => {
    const after =
      positions.find((position) => openAfter(position).length > 0 && story.log[position]?.event.type === 'StepDone') ??
      0;
    for (const begins of [after, after + 2, after + 3]) {
      const file = join(temporaryDirectory(), 'bundle.db');
      must(
        writeBundle(
          ledger,
          file,
          { after: begins, to: story.log.length, redact: false, projections: PROJECTIONS },
          false,
        ),
      );
      const part = must(openLedger(file, 'read', PROJECTIONS));
      const stretch = { after: begins, to: story.log.length };
      const { start, breaches } = replayLog(part, stretch, INVARIANTS);
      expect(start.leftOut.map(({ command }) => command)).toEqual(openAfter(begins));
      expect(breaches).toEqual([]);
      expect((await replayOnModel(part, stretch, INVARIANTS)).breaches).toEqual([]);
    }
  });
});
