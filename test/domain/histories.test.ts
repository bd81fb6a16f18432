import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import { decide } from '../../domain/decide.ts';
import { eventsOf } from '../../domain/decision.ts';
import type { DomainEvent } from '../../domain/event.ts';
import { emptyHost, evolve, type Host } from '../../domain/host/host.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { watchFrom } from '../../domain/invariants/watch.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { type Choice, choices, commandFor } from '../runner/choices.ts';
import {
  addVolume,
  appVm,
  collect,
  dispVm,
  filePool,
  init,
  keep,
  lvmPool,
  recordReboot,
  setProperty,
  templateVm,
} from './commands.ts';
import { given, OWNER, type Story } from './given.ts';

const SEED = Number(process.env['DOMTRAIL_EXPLORE_SEED'] ?? 20_260_101);

const opening = (files: boolean): Story =>
  given().after(
    init(lvmPool('lvm'), filePool('files')),
    setProperty(null, 'default_pool', files ? 'files' : 'lvm'),
    templateVm('fedora'),
    appVm('work', { template: 'fedora' }),
    appVm('dvm', { template: 'fedora' }),
    setProperty('dvm', 'template_for_dispvms', 'True'),
    addVolume('work:data', { revisionsToKeep: 2 }),
    dispVm('disp1', { template: 'dvm' }),
  );

/** Lives through a history: a clock that also goes back, and a host that dies now and then. */
const live = (story: Story, draws: readonly Choice[], afterEach: (story: Story) => void): number => {
  let commands = 0;
  for (const choice of draws) {
    story.now += [0, 300, 1000, 60_000, -3_600_000][choice.c % 5] ?? 0;
    if (choice.c % 29 === 0) {
      story.bootId = `boot-${story.log.length}`;
      story.submit(recordReboot(story.bootId));
    }
    const command = commandFor(choice, story.host);
    if (!command) continue;
    story.submit(command);
    commands++;
    afterEach(story);
  }
  return commands;
};

const onePlaceEach = ({ vms, trash }: Host): void => {
  const ids = [
    ...[...vms.values()]
      .flatMap(volumesOf)
      .flatMap(disksOf)
      .map(({ disk }) => disk.id),
    ...trash.keys(),
  ];
  expect(new Set(ids).size).toBe(ids.length);
};

/** What `replay`, `bisect` and `fsck` check, too. */
const insistOnNamedInvariants = ({ log }: Story): void => {
  const watch = watchFrom(INVARIANTS);
  const breaches = [...log.flatMap(watch.follow), ...watch.end()];
  expect(breaches.map(({ invariant, object, says }) => `${invariant}: ${object}: ${says}`)).toEqual([]);
};

const insistOnInvariants = (story: Story): void => {
  onePlaceEach(story.host);
  expect(story.host.operations.size).toBe(0);
  // What was removed waits for `gc`; everything else on its way out is gone with its command.
  expect([...story.host.trash.values()].filter(({ why }) => why !== 'removed')).toEqual([]);
};

/** Runs every recorded command again in the state it met, and compares what is decided with what is in the log. */
const insistOnReplay = ({ log, decided }: Story): void => {
  const host = emptyHost();
  const byPosition = new Map(decided.map((one) => [one.position, one]));
  let expected: readonly DomainEvent[] = [];
  for (const recorded of log) {
    const one = byPosition.get(recorded.position);
    if (one) {
      const { id, command, context } = one;
      expected = eventsOf(decide(host, command, context), { name: command.name, digest: id, owner: OWNER });
    }
    const [first, ...rest] = expected;
    if (first)
      expect(canonicalJson(recorded.event as Json)).toBe(canonicalJson(JSON.parse(JSON.stringify(first)) as Json));
    expected = rest;
    evolve(host, recorded);
  }
};

const frozen = <T>(value: T): T => {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) frozen(item);
  }
  return value;
};

describe('any history of commands', () => {
  let commands = 0;

  test('keeps every disk in one place, every named invariant, and no operation open', () => {
    const property = fc.property(choices(70, 1), fc.boolean(), (draws, files) => {
      const story = opening(files);
      commands += live(story, draws, insistOnInvariants);
      insistOnNamedInvariants(story);
    });
    fc.assert(property, { seed: SEED, numRuns: 50 });
    expect(commands).toBeGreaterThanOrEqual(1000);
  });

  test('keeps no more revisions after a commit than it should, pinned ones aside', () => {
    const property = fc.property(choices(70, 1), (draws) => {
      const kept = (story: Story): void => {
        const { command } = story.decided.at(-1) ?? {};
        if (command?.name !== 'CommitVolume' && command?.name !== 'RevertVolume') return;
        const last = story.log.at(-1)?.event.type;
        const volume = story.host.vms.get(command.payload.vm)?.volumes[command.payload.volume];
        if (last !== 'CommandCompleted' || !volume) return;
        const unpinned = volume.revisions.filter(({ pinned }) => !pinned).length;
        expect(unpinned).toBeLessThanOrEqual(Math.max(0, volume.spec.revisionsToKeep));
      };
      live(opening(false), draws, kept);
    });
    fc.assert(property, { seed: SEED, numRuns: 20 });
  });

  test('is decided again, command by command, to the same events', () => {
    const property = fc.property(choices(60, 1), fc.boolean(), (draws, files) => {
      const story = opening(files);
      live(story, draws, () => undefined);
      insistOnReplay(story);
    });
    fc.assert(property, { seed: SEED + 1, numRuns: 20 });
  });

  test('is never changed by deciding: a state may be read by many', () => {
    const property = fc.property(choices(40, 1), (draws) => {
      live(opening(false), draws, ({ host }) => {
        for (const value of [...host.vms.values(), ...host.pools.values(), ...host.trash.values()]) frozen(value);
      });
    });
    fc.assert(property, { seed: SEED + 2, numRuns: 10 });
  });

  test('gc takes disks of the trash only', () => {
    const story = opening(false);
    const [someDisk] = volumesOf(story.vm('work')).flatMap(disksOf);
    story.when(collect(someDisk?.disk.id ?? '')).thenRejected('D_NOT_FOUND', 'is not in the trash');
    story.after(keep('work:private', 1)).when(collect()).thenNothing();
  });
});
