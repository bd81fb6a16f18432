import { beforeAll, describe, expect, test } from 'vitest';
import { starts, until } from './running.ts';
import { homeWithWork, type Terminal } from './terminal.ts';

type Logged = { readonly type: string; readonly time: string; readonly actor: { readonly tool: string } };

let terminal: Terminal;

const rules = async (): Promise<readonly string[]> => {
  const { entries } = await terminal.item<{ entries: Record<string, string> }>('firewall', 'entries', 'work');
  return Object.entries(entries).flatMap(([path, value]) => (/\/[0-9]{4}$/.test(path) ? [value] : []));
};

/** How many of the rules have expired and are still there. */
const late = async (): Promise<number> => (await terminal.item<{ expired: number }>('firewall', 'get', 'work')).expired;

const expireAt = (): number => Math.ceil(Date.now() / 1000) + 1;

/** The instants, in epoch milliseconds, at which serve took out a rule. */
const expired = async (): Promise<readonly number[]> => {
  const log = await terminal.items<Logged & { data: { cause?: string } }>('log', '--type', 'FirewallChanged');
  return log.flatMap(({ time, actor, data }) =>
    data.cause === 'expired' && actor.tool === 'serve' ? [Date.parse(time)] : [],
  );
};

beforeAll(async () => {
  terminal = await homeWithWork();
  await terminal.does('vm', 'create', 'net', '--class', 'AppVM', '--template', 'debian');
  await terminal.does('vm', 'prefs', 'net', 'provides_network', 'True');
  await terminal.does('vm', 'prefs', 'net', 'netvm', '');
  await terminal.does('vm', 'prefs', 'work', 'netvm', 'net');
  await terminal.does('vm', 'start', 'net');
  await terminal.does('vm', 'start', 'work');
});

describe('domtrail serve', () => {
  test('takes a rule out when its time is over; there is one at a time; killed and late, it does so at once', async () => {
    const first = starts(terminal, 'serve');
    await first.says(/^serving /m);
    const at = expireAt();
    // On a busy machine the rule may have expired before it is set; serve takes it out all the same.
    await terminal.run(['firewall', 'set', 'work', `action=accept dst4=10.0.0.1 expire=${at}`, 'action=drop']);
    await first.says(/^ExpireRule cmd:\S+ completed {2}\(work: a rule has expired\)$/m);
    expect(await rules()).toEqual(['action=drop']);
    expect((await expired())[0]).toBeGreaterThan(at * 1000);

    const second = await terminal.run(['serve']);
    expect(second).toMatchObject({ code: 5, out: '' });
    expect(second.err).toContain(`another serve (pid ${first.pid})`);

    expect(await first.ends('SIGKILL')).toBe('SIGKILL');
    await terminal.run(['firewall', 'set', 'work', `action=accept expire=${expireAt()}`, 'action=drop']);
    await until(async () => (await late()) === 1, first.err);
    const third = starts(terminal, 'serve');
    await third.says(/ExpireRule/);
    expect(await rules()).toEqual(['action=drop']);
    expect([await late(), (await expired()).length]).toEqual([0, 2]);
    expect(await third.ends('SIGTERM')).toBe(0);
    expect(third.out()).toBe('');
  });

  test('finishes at its start what a crash left, and says so; Ctrl-C ends it with 130', async () => {
    const killed = await terminal.run(['vm', 'stop', 'work'], { env: { DOMTRAIL_FAULT: 'kill@after-step:2' } });
    expect(killed.signal).toBe('SIGKILL');
    const serve = starts(terminal, 'serve');
    await serve.says(/^StopVM cmd:\S+ completed/m);
    await until(async () => (await terminal.stateOf('work')) === 'Halted', serve.err);
    expect(await serve.ends('SIGINT')).toBe(130);
    await terminal.does('vm', 'start', 'work');
  });

  test('--once does what is due now and ends; killed under way, the next one finishes it', async () => {
    await terminal.does('firewall', 'set', 'work', 'action=drop');
    await terminal.run(['firewall', 'add', 'work', 'action=accept expire=1463292452', '--before', '0']);
    const killed = await terminal.run(['serve', '--once'], { env: { DOMTRAIL_FAULT: 'kill@after-step:1' } });
    expect(killed.signal).toBe('SIGKILL');
    const once = await terminal.run(['serve', '--once']);
    expect(once).toMatchObject({ code: 0, out: '' });
    expect(once.err).toMatch(/^ExpireRule cmd:\S+ completed/);
    expect(await terminal.run(['serve', '--once'])).toMatchObject({ code: 0, out: '', err: '' });
    expect(await rules()).toEqual(['action=drop']);
    await terminal.isSound();
  });
});
