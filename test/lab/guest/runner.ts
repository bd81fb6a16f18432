import { uptime } from 'node:os';
import { inspect } from 'node:util';
import { ASYMMETRIC_MATCHERS_OBJECT, chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';

// Stands in for `vitest` in the bundles of the lab machine, which would take a minute to start vitest itself. It knows
// what the suites here use: nested describes, hooks around each test, skips from inside, and the same `expect`.

type Body = (context: { readonly skip: (why?: string) => never }) => unknown;
type Hook = () => unknown;
type Group = { readonly name: string; readonly around: Group | null; readonly before: Hook[]; readonly after: Hook[] };
type Case = { readonly group: Group; readonly title: string; readonly body: Body | null; readonly mostMs: number };
type Status = 'passed' | 'failed' | 'skipped';
type Outcome = { readonly status: Status; readonly failureMessages: readonly string[]; readonly why?: string };

const MOST_MS = process.env['LAB_FULL'] ? 7_200_000 : 900_000;

/** After so many seconds of the machine no further test begins: a slow host leaves tests out, it does not fail them. */
const BUDGET = Number(process.env['LAB_BUDGET'] || Infinity);
const SAMPLE = new RegExp(process.env['LAB_SAMPLE'] ?? '');
const isOver = (): boolean => uptime() > BUDGET;

const groupIn = (around: Group | null, name: string): Group => ({ name, around, before: [], after: [] });
let now: Group = groupIn(null, '');
const cases: Case[] = [];
const atTheEnd: Hook[] = [];

export const describe = (name: string, body: () => void): void => {
  const around = now;
  now = groupIn(around, name);
  body();
  now = around;
};
export const beforeEach = (hook: Hook): number => now.before.push(hook);
export const afterEach = (hook: Hook): number => now.after.push(hook);
export const afterAll = (hook: Hook): number => atTheEnd.push(hook);

type Options = { readonly timeout?: number };
const add = (title: string, given: Options | Body, body?: Body): void => {
  const own = typeof given === 'function' ? given : body;
  if (!own) throw new Error(`${title} has nothing to run`);
  const mostMs = (typeof given === 'function' ? undefined : given.timeout) ?? MOST_MS;
  cases.push({ group: now, title, body: own, mostMs });
};
const skip = (title: string): void => {
  cases.push({ group: now, title, body: null, mostMs: MOST_MS });
};
export const test = Object.assign(add, { skip });

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT),
);

class Skipped extends Error {}

const leftOut = (why: string): Outcome => ({ status: 'skipped', failureMessages: [], why });

const groupsOf = (group: Group | null): readonly Group[] => (group ? [...groupsOf(group.around), group] : []);

/** A timer of its own: a test that waits for ever must not cost the report of the others. */
const within = async (mostMs: number, work: () => Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${mostMs / 1000} s`)), mostMs);
  });
  try {
    await Promise.race([work(), over]);
  } finally {
    clearTimeout(timer);
  }
};

/** The message of a failed expectation is cut short; what was compared is not. */
const comparedIn = (error: unknown): string => {
  if (!(error instanceof Error)) return '';
  const shown = (value: unknown): string => (typeof value === 'string' ? value : inspect(value, { depth: 8 }));
  return ['actual', 'expected']
    .filter((side) => side in error)
    .map((side) => `${side}: ${shown(Reflect.get(error, side))}`)
    .join('\n');
};

const attempt = async (work: () => Promise<void>): Promise<Outcome> => {
  try {
    await work();
    return { status: 'passed', failureMessages: [] };
  } catch (error) {
    if (error instanceof Skipped) return leftOut(error.message);
    const stack = error instanceof Error ? error.stack : undefined;
    return { status: 'failed', failureMessages: [`${stack ?? String(error)}\n${comparedIn(error)}`] };
  }
};

const nameOf = ({ group, title }: Case): string =>
  [...groupsOf(group).map(({ name }) => name), title].filter(Boolean).join(' ');

const runCase = async (one: Case): Promise<Outcome> => {
  const { group, body, mostMs } = one;
  if (!body || !SAMPLE.test(nameOf(one))) return leftOut('only in npm run lab:full');
  if (isOver()) return leftOut(`the machine's ${BUDGET} s were over; npm run lab:full runs it`);
  const groups = groupsOf(group);
  const leave = (why?: string): never => {
    throw new Skipped(why);
  };
  const ran = await attempt(() =>
    within(mostMs, async () => {
      for (const { before } of groups) for (const hook of before) await hook();
      await body({ skip: leave });
    }),
  );
  const tidied = await attempt(async () => {
    for (const { after } of [...groups].reverse()) for (const hook of after) await hook();
  });
  return tidied.status === 'passed'
    ? ran
    : { status: 'failed', failureMessages: [...ran.failureMessages, ...tidied.failureMessages] };
};

/** Runs what was declared. Each result is a line of JSON on stdout at once; the last line says that there are no more. */
export const runAll = async (name: string, only: RegExp): Promise<void> => {
  for (const one of cases) {
    const fullName = nameOf(one);
    if (!only.test(fullName)) continue;
    const began = performance.now();
    const outcome = await runCase(one);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    process.stdout.write(`${JSON.stringify({ fullName, seconds, ...outcome })}\n`);
    process.stderr.write(`${outcome.status}  ${seconds} s  ${fullName}\n`);
  }
  for (const hook of atTheEnd) await hook();
  process.stdout.write(`${JSON.stringify({ complete: name })}\n`);
};
