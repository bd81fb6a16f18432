import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Daemon, leaveDeadSocket, startDaemon } from '../qubesdb/daemon.ts';
import { homeWithWork, type Terminal } from './terminal.ts';

const PATIENCE = 240_000;

type Step = { readonly n: number; readonly words: string };
type Finding = {
  readonly object: string;
  readonly kind: string;
  readonly problem: string | null;
  readonly repair: string;
};
type Logged = { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
type Recovered = { readonly name: string; readonly outcome: string; readonly steps: readonly Step[] };

/** `work` runs behind `net`. */
const networkOn = async (terminal: Terminal): Promise<void> => {
  await terminal.does('vm', 'create', 'net', '--class', 'AppVM', '--template', 'debian');
  await terminal.does('vm', 'prefs', 'net', 'provides_network', 'True');
  await terminal.does('vm', 'prefs', 'net', 'netvm', '');
  await terminal.does('vm', 'prefs', 'work', 'netvm', 'net');
  await terminal.does('vm', 'start', 'net');
  await terminal.does('vm', 'start', 'work');
};

const entries = async (terminal: Terminal): Promise<Readonly<Record<string, string>>> =>
  (await terminal.item<{ entries: Record<string, string> }>('firewall', 'entries', 'work')).entries;

const problems = async (terminal: Terminal): Promise<readonly Finding[]> => {
  const ended = await terminal.run(['fsck', '--json']);
  const { items } = JSON.parse(ended.out) as { readonly items: readonly Finding[] };
  const found = items.filter(({ problem }) => problem !== null);
  expect(ended.code).toBe(found.length === 0 ? 0 : 2);
  return found;
};

const recoverCode = async (terminal: Terminal): Promise<number | null> => (await terminal.run(['recover'])).code;

const recovers = async (terminal: Terminal): Promise<readonly Recovered[]> => terminal.items('recover');

/** The rules below the one address that was published, by number. */
const rulesIn = (all: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(all).flatMap(([path, value]) => (/\/[0-9]{4}$/.test(path) ? [value] : []));

describe('rules are published to where the agent of the netvm reads them', () => {
  test('without a daemon they are kept in the home, for everything that can be tried', {
    timeout: PATIENCE,
  }, async () => {
    const terminal = await homeWithWork();
    await networkOn(terminal);
    expect(rulesIn(await entries(terminal))).toEqual(['action=accept']);
    await terminal.does(
      'firewall',
      'set',
      'work',
      'action=accept dst4=10.0.0.1 comment=not for the agent',
      'action=drop',
    );
    const published = await entries(terminal);
    expect(rulesIn(published)).toEqual(['action=accept dst4=10.0.0.1/32', 'action=drop']);
    const [base = ''] = Object.keys(published);
    expect(published).toMatchObject({ [base]: '', [`${base}/policy`]: 'drop' });

    // Every step of a publication says what was read back.
    const log = await terminal.items<Logged>('log');
    const digests = log.flatMap(({ type, data }) => (type === 'StepDone' ? [JSON.stringify(data)] : []));
    expect(digests.filter((data) => /sha256:[0-9a-f]{64}/.test(data)).length).toBeGreaterThan(1);

    // A rule whose time has passed keeps its number until it is taken out; the log says why it went.
    const expired = 'action=accept dst4=10.9.9.9 expire=1463292452';
    const added = await terminal.run(['firewall', 'add', 'work', expired, '--before', '0']);
    expect(added).toMatchObject({ code: 0, err: 'note: rule 0 has expired already; it has no effect\n' });
    expect(rulesIn(await entries(terminal))).toEqual(['action=accept dst4=10.0.0.1/32', 'action=drop']);
    expect(Object.keys(await entries(terminal))).toContain(`${base}/0002`);
    expect(await problems(terminal)).toMatchObject([{ kind: 'firewall', object: 'work', repair: 'domtrail recover' }]);
    expect(await recovers(terminal)).toMatchObject([{ name: 'ExpireRule', outcome: 'completed' }]);
    expect(rulesIn(await entries(terminal))).toEqual(['action=accept dst4=10.0.0.1/32', 'action=drop']);
    expect(Object.keys(await entries(terminal))).not.toContain(`${base}/0002`);
    const last = (await terminal.items<Logged>('log')).filter(({ type }) => type === 'FirewallChanged').at(-1);
    expect(last?.data['cause']).toBe('expired');
    await terminal.isSound();
  });

  test('a daemon gets them over its socket; what goes wrong there is found and mended', {
    timeout: PATIENCE,
  }, async () => {
    const terminal = await homeWithWork();
    const daemons = join(terminal.home, '..', 'daemons');
    mkdirSync(daemons);
    terminal.env = { DOMTRAIL_QUBESDB_DIR: daemons };
    const path = join(daemons, 'qubesdb.net.sock');
    let daemon: Daemon = await startDaemon(path);
    try {
      await networkOn(terminal);
      await terminal.does('vm', 'create', 'other', '--class', 'AppVM', '--template', 'debian');
      await terminal.does('vm', 'prefs', 'other', 'provides_network', 'True');
      await terminal.does('vm', 'start', 'other');
      await terminal.does('firewall', 'set', 'work', 'action=accept dst4=10.0.0.1', 'action=drop');
      expect(Object.fromEntries(daemon.keys)).toMatchObject(await entries(terminal));
      expect(daemon.keys.get('/name')).toBe('net');
      expect(rulesIn(Object.fromEntries(daemon.keys))).toEqual(['action=accept dst4=10.0.0.1/32', 'action=drop']);
      expect(await problems(terminal)).toEqual([]);

      // Somebody opens the firewall behind our back.
      const rule = [...daemon.keys.keys()].find((key) => key.endsWith('/0001')) ?? '';
      daemon.keys.set(rule, 'action=accept');
      const [drift] = await problems(terminal);
      expect(drift).toMatchObject({ kind: 'firewall', repair: 'domtrail firewall reload work' });
      expect(drift?.problem).toContain('is "action=accept" and not "action=drop"');
      await terminal.does('firewall', 'reload', 'work');
      expect(daemon.keys.get(rule)).toBe('action=drop');

      // A daemon that was started again begins with nothing.
      await daemon.stop();
      daemon = await startDaemon(path);
      expect(await problems(terminal)).toMatchObject([{ kind: 'firewall', repair: 'domtrail recover' }]);
      expect(await recovers(terminal)).toMatchObject([{ name: 'RewriteKeys', outcome: 'completed' }]);
      expect([daemon.keys.get(rule), daemon.keys.get('/name')]).toEqual(['action=drop', 'net']);
      expect(daemon.keys.get('/connected-ips')).toMatch(/^10\.137\./);
      expect(daemon.isDead()).toBe(false);

      // Another netvm is told before the VM is its client; the first one, when it is again, of what changed meanwhile.
      await terminal.does('vm', 'prefs', 'work', 'netvm', 'other');
      expect(await problems(terminal)).toEqual([]);
      expect(rulesIn(await entries(terminal))).toEqual(['action=accept dst4=10.0.0.1/32', 'action=drop']);
      await terminal.does('firewall', 'set', 'work', 'action=accept dst4=10.0.0.7', 'action=drop');
      await terminal.does('vm', 'prefs', 'work', 'netvm', 'net');
      expect(await problems(terminal)).toEqual([]);
      expect(rulesIn(await entries(terminal))).toEqual(['action=accept dst4=10.0.0.7/32', 'action=drop']);

      // Without its daemon a change does not get through, and recover takes it up again.
      await daemon.stop();
      await leaveDeadSocket(path);
      const ended = await terminal.run(['firewall', 'set', 'work', 'action=drop']);
      expect(ended.err).toMatch(/^error\[D_QUBESDB_UNREACHABLE\]/m);
      expect(ended.code).toBe(75);
      daemon = await startDaemon(path);
      expect(await recoverCode(terminal)).toBe(0);
      expect(rulesIn(Object.fromEntries(daemon.keys))).toEqual(['action=drop']);
      await terminal.isSound();
    } finally {
      await daemon.stop();
      rmSync(daemons, { recursive: true, force: true });
    }
  });
});
