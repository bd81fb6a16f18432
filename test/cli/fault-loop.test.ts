import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type Outcome, POINTS, visitSteps } from './fault-points.ts';
import { contentsOf, homeWithWork, type Terminal, type VolumeInfo, withoutProgress, writeAt } from './terminal.ts';

// Each case keeps one home of its own and one core busy.
vi.setConfig({ maxConcurrency: 2 });
const PATIENCE = 300_000;
const MOST_STEPS = 40;

/** What somebody outside can tell of a volume: where its VM stands, its committed content, and its revisions' contents. */
type Seen = { readonly state: string; readonly contents: readonly string[] };

const LENGTH = 5;
const see = async (terminal: Terminal, volume: string): Promise<Seen> => {
  const listed = await terminal.items<VolumeInfo>('volume', 'list');
  const found = listed.find(({ vm, name }) => `${vm}:${name}` === volume);
  return found ? { state: found.state, contents: contentsOf(found, LENGTH) } : { state: 'gone', contents: [] };
};

/** Five characters that are another text in each round. */
const textOf = (round: number): string => `${round}`.padStart(LENGTH, 'x');

type Round = { readonly terminal: Terminal; readonly round: number; readonly text: string };
type Case = {
  /** brings the home to where the command can be given, and gives that command */
  readonly prepare: (round: Round) => Promise<readonly string[]>;
  readonly volume: (round: Round) => string;
  /** what the command, undisturbed, makes of what was there before */
  readonly after: (before: Seen, text: string) => Seen;
  /** the start that must work whatever was reached; without it, that of `work` */
  readonly next?: (round: Round, seen: Seen) => readonly (readonly string[])[];
};

const work = () => 'work:private';
const newest = ({ contents }: Seen): string => contents.at(-1) ?? '';
const startAndStop = () =>
  [
    ['vm', 'start', 'work'],
    ['vm', 'stop', 'work', '--discard'],
  ] as const;
const startOf =
  (name: string) =>
  ({ round }: Round, seen: Seen) => [['vm', 'start', seen.state === 'gone' ? 'work' : `${name}${round}`]];

/** The VM runs and writes; from the second round on it was started as the last thing of the round before. */
const running = async ({ terminal, text, round }: Round): Promise<void> => {
  if (round === 1) await terminal.does('vm', 'start', 'work');
  writeAt(join(terminal.home, 'pools/default/appvms/work/private-dirty.img'), text);
};

const CASES: Readonly<Record<string, Case>> = {
  'vm start': {
    prepare: async (round) => {
      await running(round);
      await round.terminal.does('vm', 'stop', 'work');
      return ['vm', 'start', 'work'];
    },
    volume: work,
    after: (before) => ({ ...before, state: 'running' }),
  },
  'vm stop': {
    prepare: async (round) => {
      await running(round);
      return ['vm', 'stop', 'work'];
    },
    volume: work,
    after: (before, text) => ({ state: 'clean', contents: [newest(before), text] }),
  },
  'volume commit of a running VM': {
    prepare: async (round) => {
      await running(round);
      return ['volume', 'commit', 'work:private'];
    },
    volume: work,
    after: (before, text) => ({ state: 'running', contents: [newest(before), text] }),
  },
  'volume commit of what a crash left': {
    prepare: async (round) => {
      await running(round);
      round.terminal.env = { DOMTRAIL_BOOT_ID: `boot-${round.round}` };
      expect(await round.terminal.recovers()).toContain('RecordReboot');
      return ['volume', 'commit', 'work:private'];
    },
    volume: work,
    after: (before, text) => ({ state: 'clean', contents: [newest(before), text] }),
  },
  'volume revert': {
    prepare: async ({ terminal, round, text }) => {
      if (round === 1) {
        await running({ terminal, round, text });
        await terminal.does('vm', 'stop', 'work');
      }
      return ['volume', 'revert', 'work:private'];
    },
    volume: work,
    after: ({ state, contents }) => ({ state, contents: [...contents].reverse() }),
    next: startAndStop,
  },
  'volume import': {
    prepare: async ({ terminal, text }) => {
      const file = join(terminal.home, 'content.img');
      await writeFile(file, text.repeat(1024));
      return ['volume', 'import', 'work:private', file];
    },
    volume: work,
    after: (before, text) => ({ state: 'clean', contents: [newest(before), text] }),
    next: startAndStop,
  },
  'vm clone': {
    prepare: async (round) => {
      if (round.round === 1) {
        await running(round);
        await round.terminal.does('vm', 'stop', 'work');
      }
      return ['vm', 'clone', 'work', `copy${round.round}`];
    },
    volume: ({ round }) => `copy${round}:private`,
    after: () => ({ state: 'clean', contents: [textOf(1)] }),
    next: startOf('copy'),
  },
  'vm remove': {
    prepare: async ({ terminal, round }) => {
      await terminal.does('vm', 'clone', 'work', `copy${round}`);
      return ['vm', 'remove', `copy${round}`, '--yes'];
    },
    volume: ({ round }) => `copy${round}:private`,
    after: () => ({ state: 'gone', contents: [] }),
    next: startOf('copy'),
  },
  'vm create': {
    prepare: ({ round }) => Promise.resolve(['vm', 'create', `alone${round}`, '--class', 'StandaloneVM']),
    volume: ({ round }) => `alone${round}:private`,
    after: () => ({ state: 'clean', contents: ['.'.repeat(LENGTH)] }),
    next: startOf('alone'),
  },
};

/** One round: prepare, give the command with the fault armed, recover `how`, and compare with before and after. */
const visit = async (one: Case, round: Round, fault: string, recoveries: readonly string[] = []): Promise<Outcome> => {
  const { terminal, text } = round;
  const where = `round ${round.round}, ${[fault, ...recoveries].join(' then ')}`;
  const argv = await one.prepare(round);
  const before = await see(terminal, one.volume(round));
  const after = one.after(before, text);
  const ended = await terminal.run(argv, { env: { DOMTRAIL_FAULT: fault } });
  const killed = ended.signal === 'SIGKILL';
  if (!killed)
    expect({ where, code: ended.code, err: withoutProgress(ended.err) }).toEqual({ where, code: 0, err: '' });
  for (const again of recoveries) await terminal.run(['recover'], { env: { DOMTRAIL_FAULT: again } });
  await terminal.recovers(where);
  const seen = await see(terminal, one.volume(round));
  if (killed) expect([before, after], where).toContainEqual(seen);
  else expect(seen, where).toEqual(after);
  if (fault === 'kill@before-commit') expect(seen, where).toEqual(before);
  expect(await terminal.does('fsck'), where).toContain(' 0 problems');
  for (const argv of one.next?.(round, seen) ?? [['vm', 'start', 'work']]) await terminal.does(...argv);
  return killed ? 'killed' : 'survived';
};

describe('a command that is killed at any step ends, after recover, as before it or as after it', () => {
  for (const [name, one] of Object.entries(CASES)) {
    test.concurrent(`${name}, at every fault point`, { timeout: PATIENCE }, async () => {
      const terminal = await homeWithWork();
      let number = 0;
      const round = (): Round => ({ terminal, round: ++number, text: textOf(number) });
      expect(await visit(one, round(), 'kill@before-commit')).toBe('killed');
      for (const point of POINTS) {
        await visitSteps(point, MOST_STEPS, (fault) => visit(one, round(), fault));
        // These look at the whole log, so once for every point covers all its rounds.
        await terminal.isSound();
      }
    });
  }
});

describe('a recovery that is killed itself is recovered', () => {
  for (const name of ['vm stop', 'volume import']) {
    test.concurrent(`${name}, with a second fault inside recover`, { timeout: PATIENCE }, async () => {
      const one = CASES[name]!;
      const terminal = await homeWithWork();
      let number = 0;
      for (const first of ['kill@after-step:1', 'kill@after-step:2']) {
        for (const second of ['kill@before-step:1', 'kill@after-step:1', 'kill@after-record:1', 'kill@before-commit']) {
          const round = { terminal, round: ++number, text: textOf(number) };
          expect(await visit(one, round, first, [second, second])).toBe('killed');
        }
      }
      await terminal.isSound();
    });
  }

  test.concurrent('any changing command recovers first, and says so', { timeout: PATIENCE }, async () => {
    const terminal = await homeWithWork();
    await running({ terminal, round: 1, text: textOf(1) });
    expect((await terminal.run(['vm', 'stop', 'work'], { env: { DOMTRAIL_FAULT: 'kill@after-step:3' } })).signal).toBe(
      'SIGKILL',
    );
    expect(await terminal.run(['fsck'])).toMatchObject({ code: 2 });
    const plan = await terminal.run(['recover', '--plan']);
    expect(plan).toMatchObject({ code: 2, err: '' });
    const started = await terminal.run(['vm', 'start', 'work']);
    expect(started.code).toBe(0);
    expect(started.err).toMatch(/^recovered: StopVM \(cmd:[0-9a-f]{8}\) completed$/m);
    expect(await terminal.contents('work:private', LENGTH)).toEqual(['.....', textOf(1)]);
    await terminal.isSound();
  });

  test.concurrent('recover says what it resumed, from which step, and what it found done', {
    timeout: PATIENCE,
  }, async () => {
    const terminal = await homeWithWork();
    await running({ terminal, round: 1, text: textOf(1) });
    await terminal.run(['vm', 'stop', 'work'], { env: { DOMTRAIL_FAULT: 'kill@after-step:3' } });
    const [item] = await terminal.items<Record<string, unknown>>('recover');
    expect(item).toMatchObject({
      command: expect.stringMatching(/^[0-9a-f-]{36}$/),
      resumedFrom: 3,
      outcome: 'completed',
    });
    const steps = item?.['steps'] as readonly Record<string, unknown>[];
    expect(steps[0]).toMatchObject({ n: 3, found: true, argv: expect.any(Array), words: expect.any(String) });
    expect(steps[0]).toHaveProperty('exitCode');
    expect(await terminal.items('recover')).toEqual([]);
  });
});
