import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import { type Daemon, leaveDeadSocket, startDaemon } from '../qubesdb/daemon.ts';
import { type World, worldWithNetwork } from './world.ts';

let world: World;
let path: string;
let daemon: Daemon;

/** A daemon is another program: time passes, both on the clock and for sockets, until it is so. */
const comes = async (what: () => boolean): Promise<void> => {
  for (let second = 0; second < 120; second++) {
    if (what()) return;
    await world.clock.pass(1000);
    await pause(5);
  }
  expect.unreachable(`never came, with ${world.told.join()}`);
};

const rules = (): readonly string[] =>
  [...daemon.keys].filter(([key]) => /^\/qubes-firewall\/10\.137\.0\.3\/[0-9]{4}$/.test(key)).map(([, value]) => value);

beforeAll(async () => {
  world = await worldWithNetwork();
  const dir = join(world.home.dir, 'daemons');
  mkdirSync(dir);
  process.env['DOMTRAIL_QUBESDB_DIR'] = dir;
  path = join(dir, 'qubesdb.net.sock');
  daemon = await startDaemon(path);
});

afterAll(async () => {
  delete process.env['DOMTRAIL_QUBESDB_DIR'];
  await daemon.stop();
});

beforeEach(async () => {
  await world.stops();
  await world.does(to.reload('work'), to.reload('mail'));
  await world.begins();
});

describe('a QubesDB daemon', () => {
  test('that was started again, empty, gets everything it lost; nothing is asked of it while it is well', async () => {
    await world.starts();
    await comes(() => daemon.clients() > 0);
    await world.clock.pass(60_000);
    const [head, heard] = [world.head(), daemon.heard.length];
    await world.clock.pass(600_000);
    expect([world.head(), daemon.heard.length]).toEqual([head, heard]);
    world.told.length = 0;
    await daemon.stop();
    daemon = await startDaemon(path);
    expect(rules()).toEqual([]);
    await comes(() => rules().length > 0);
    await world.settled();
    expect(rules()).toEqual(['action=drop']);
    expect(daemon.keys.get('/connected-ips')).toBe('10.137.0.4 10.137.0.3');
    expect([daemon.keys.get('/name'), daemon.keys.get('/qubes-netvm-gateway')]).toEqual(['net', '10.137.0.2']);
    expect(world.told).toEqual(['RewriteKeys completed']);
  });

  test('that is away when a rule expires: told, not tried in vain, and done when it is back', async () => {
    await world.sets('work', `action=accept dst4=10.0.0.1 expire=${world.after(30)}`, 'action=drop');
    await world.starts();
    await comes(() => daemon.clients() > 0);
    await daemon.stop();
    await leaveDeadSocket(path);
    await world.clock.pass(30_001);
    const head = world.head();
    expect(world.told).toContain('ExpireRule stuck');
    await world.clock.pass(3_600_000);
    expect(world.head()).toBe(head);
    daemon = await startDaemon(path);
    await comes(() => world.expiries().length > 0);
    expect(rules()).toEqual(['action=drop']);
    expect(world.expiries()).toMatchObject([{ vm: 'work', by: 'serve' }]);
  });

  test('that is slow: told to end, serve records the step under way and begins no other; the next start goes on', async () => {
    await world.does(to.setFeature('net', 'ipv6', '1'));
    await world.sets('work', `action=accept dsthost=example.com expire=${world.after(30)}`, 'action=drop');
    await world.starts();
    daemon.delay = 100;
    const passing = world.clock.pass(30_001);
    const heard = daemon.heard.length;
    while (daemon.heard.length === heard) await pause(5);
    await world.stops();
    await passing;
    daemon.delay = 0;
    // One of its two addresses was written.
    expect(world.expiries()).toEqual([]);
    const firsts = [...daemon.keys].filter(([key, value]) => /\/0000$/.test(key) && value.includes('example.com'));
    expect(firsts).toHaveLength(1);
    await world.starts();
    await comes(() => world.expiries().length > 0);
    expect([...daemon.keys.values()].some((value) => value.includes('example.com'))).toBe(false);
    await world.does(to.setFeature('net', 'ipv6', ''));
  });
});
