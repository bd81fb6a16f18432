import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type Outcome, POINTS, visitSteps } from './fault-points.ts';
import { homeWithWork, type Terminal } from './terminal.ts';

// Each case keeps one home of its own and one core busy.
vi.setConfig({ maxConcurrency: 2 });
const PATIENCE = 300_000;
const MOST_STEPS = 20;

type Round = { readonly terminal: Terminal; readonly round: number };
type Case = {
  readonly prepare?: (round: Round) => Promise<void>;
  readonly argv: (round: Round) => readonly string[];
  readonly vm: (round: Round) => string;
  /** the rules that the command, undisturbed, makes of those before; null: there is no such VM */
  readonly after: (before: readonly string[] | null, round: Round) => readonly string[] | null;
};

type Listed = { readonly name: string };

/** The rules that lie in QubesDB for a VM, without their numbers. */
const publishedFor = async (terminal: Terminal, vm: string): Promise<readonly string[]> => {
  const { entries } = await terminal.item<{ entries: Record<string, string> }>('firewall', 'entries', vm);
  return Object.entries(entries).flatMap(([path, value]) => (/\/[0-9]{4}$/.test(path) ? [value] : []));
};

/** What somebody outside can tell: the rules, what the file says, what is published, and whether anything half-written lies beside it. */
const see = async (terminal: Terminal, vm: string) => {
  const there = (await terminal.items<Listed>('vm', 'list')).some(({ name }) => name === vm);
  const rules = there ? (await terminal.item<{ rules: readonly string[] }>('firewall', 'get', vm)).rules : null;
  const dir = join(terminal.home, 'appvms', vm);
  const file = join(dir, 'firewall.xml');
  const read = existsSync(file) ? await terminal.run(['firewall', 'check', '--xml', file, '--json']) : null;
  const filed = read ? (JSON.parse(read.out) as { items: { rule: string }[] }).items.map(({ rule }) => rule) : null;
  if (existsSync(file)) expect(readFileSync(file, 'utf8')).toMatch(/^<firewall version="2">[\s\S]*<\/firewall>\n$/);
  const published = vm === 'work' ? await publishedFor(terminal, vm) : filed;
  return {
    rules,
    filed,
    published,
    beside: existsSync(dir) ? readdirSync(dir).filter((name) => name !== 'firewall.xml') : [],
  };
};

const ruleOf = (round: number): string => `action=accept dst4=10.0.0.${round}/32`;

const CASES: Readonly<Record<string, Case>> = {
  'firewall set': {
    argv: ({ round }) => ['firewall', 'set', 'work', ruleOf(round), 'action=drop'],
    vm: () => 'work',
    after: (_before, { round }) => [ruleOf(round), 'action=drop'],
  },
  'firewall add': {
    argv: ({ round }) => ['firewall', 'add', 'work', ruleOf(round), '--before', '0'],
    vm: () => 'work',
    after: (before, { round }) => [ruleOf(round), ...(before ?? [])],
  },
  'vm clone': {
    argv: ({ round }) => ['vm', 'clone', 'work', `copy${round}`],
    vm: ({ round }) => `copy${round}`,
    after: () => ['action=drop'],
  },
  'vm remove': {
    prepare: async ({ terminal, round }) => {
      await terminal.run(['vm', 'clone', 'work', `copy${round}`]);
    },
    argv: ({ round }) => ['vm', 'remove', `copy${round}`, '--yes'],
    vm: ({ round }) => `copy${round}`,
    after: () => null,
  },
};

/** One round: the command with the fault armed, then recovery, then the comparison with before and after. */
const visit = async (one: Case, round: Round, fault: string): Promise<Outcome> => {
  const { terminal } = round;
  const where = `round ${round.round}, ${fault}`;
  await one.prepare?.(round);
  const vm = one.vm(round);
  const before = await see(terminal, vm);
  const after = one.after(before.rules, round);
  const ended = await terminal.run(one.argv(round), { env: { DOMTRAIL_FAULT: fault } });
  const killed = ended.signal === 'SIGKILL';
  if (!killed) expect({ where, code: ended.code }).toEqual({ where, code: 0 });
  const recovered = await terminal.run(['recover']);
  expect({ where, code: recovered.code, err: recovered.err }).toEqual({ where, code: 0, err: '' });
  const seen = await see(terminal, vm);
  const whole = { rules: after, filed: after, published: after, beside: [] };
  if (killed) expect([before, whole], where).toContainEqual(seen);
  else expect(seen, where).toEqual(whole);
  if (fault === 'kill@before-commit') expect(seen, where).toEqual(before);
  // What is left can be worked with.
  if (seen.rules) await terminal.does('firewall', 'set', vm, 'action=drop', '-m', where);
  return killed ? 'killed' : 'survived';
};

/** `work` runs behind `net`, so that there is somebody to publish rules to. */
const homeWithNetwork = async (): Promise<Terminal> => {
  const terminal = await homeWithWork();
  await terminal.does('vm', 'create', 'net', '--class', 'AppVM', '--template', 'debian');
  await terminal.does('vm', 'prefs', 'net', 'provides_network', 'True');
  await terminal.does('vm', 'prefs', 'net', 'netvm', '');
  await terminal.does('vm', 'prefs', 'work', 'netvm', 'net');
  await terminal.does('vm', 'start', 'net');
  await terminal.does('vm', 'start', 'work');
  await terminal.does('firewall', 'set', 'work', 'action=drop');
  return terminal;
};

describe('a change of a firewall that is killed at any step ends, after recover, as before it or as after it', () => {
  for (const [name, one] of Object.entries(CASES)) {
    test.concurrent(`${name}, at every fault point`, { timeout: PATIENCE }, async () => {
      const terminal = await homeWithNetwork();
      let number = 0;
      const round = (): Round => ({ terminal, round: ++number });
      expect(await visit(one, round(), 'kill@before-commit')).toBe('killed');
      for (const point of POINTS) await visitSteps(point, MOST_STEPS, (fault) => visit(one, round(), fault));
      await terminal.isSound();
    });
  }
});

describe('a start that is killed at any step', () => {
  // The other two points are as far from each other as the record of a step is from the next step.
  const points = process.env['LAB_FULL'] === '1' ? POINTS : (['after-step'] as const);

  test.concurrent.each(points)(
    '%s: a VM that runs afterwards has its rules in its netvm',
    { timeout: PATIENCE },
    async (point) => {
      const terminal = await homeWithNetwork();
      for (let n = 1; n < MOST_STEPS; n++) {
        await terminal.does('vm', 'stop', 'work');
        await terminal.does('firewall', 'set', 'work', ruleOf(n), 'action=drop');
        const ended = await terminal.run(['vm', 'start', 'work'], { env: { DOMTRAIL_FAULT: `kill@${point}:${n}` } });
        const where = `${point}:${n}`;
        const isKilled = ended.signal === 'SIGKILL';
        await terminal.recovers(where);
        if (!isKilled) expect({ where, state: await terminal.stateOf('work') }).toEqual({ where, state: 'Running' });
        await terminal.does('vm', 'start', 'work');
        expect(await publishedFor(terminal, 'work'), where).toEqual([ruleOf(n), 'action=drop']);
        if (isKilled) continue;
        expect(n).toBeGreaterThan(5);
        await terminal.isSound();
        return;
      }
      expect.unreachable(`a start has more than ${MOST_STEPS} steps`);
    },
  );
});
