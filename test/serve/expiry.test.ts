import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import { type World, worldWithNetwork } from './world.ts';

const WORK = '10.137.0.3';
const MAIL = '10.137.0.4';
const accept = (host: number, seconds: number): string =>
  `action=accept dst4=10.0.0.${host} expire=${world.after(seconds)}`;
const entry = (host: number): string => `action=accept dst4=10.0.0.${host}/32`;
const DROP = 'action=drop';
/** A rule is expired when its second is earlier than now: from the millisecond after. */
const at = (seconds: number): number => seconds * 1000 + 1;
const by = 'serve';

let world: World;
beforeAll(async () => {
  world = await worldWithNetwork();
});
beforeEach(() => world.begins());

describe('while serve runs', () => {
  test('a rule goes at its instant: not a millisecond before it, and not one after', async () => {
    await world.sets('work', accept(1, 60), DROP);
    await world.starts();
    await world.clock.pass(60_000);
    expect(world.expiries()).toEqual([]);
    expect(await world.published('net', WORK)).toEqual([entry(1), DROP]);
    await world.clock.pass(1);
    expect(world.expiries()).toEqual([{ vm: 'work', ms: at(60), by }]);
    expect(await world.published('net', WORK)).toEqual([DROP]);
  });

  test('rules of several VMs go each at its own time, and of one VM one after the other', async () => {
    await world.sets('work', accept(1, 100), accept(2, 30), DROP);
    await world.sets('mail', accept(3, 50), accept(4, 100), DROP);
    await world.starts();
    await world.clock.pass(200_000);
    expect(world.expiries()).toEqual([
      { vm: 'work', ms: at(30), by },
      { vm: 'mail', ms: at(50), by },
      { vm: 'mail', ms: at(100), by },
      { vm: 'work', ms: at(100), by },
    ]);
    for (const address of [WORK, MAIL]) expect(await world.published('net', address)).toEqual([DROP]);
  });

  test('a rule that is added later and expires earlier goes first', async () => {
    await world.sets('work', accept(1, 1000), DROP);
    await world.starts();
    await world.clock.pass(5000);
    await world.does(to.addRule('mail', accept(2, 10), 0));
    await world.clock.pass(5001);
    expect(world.expiries()).toEqual([{ vm: 'mail', ms: at(10), by }]);
  });

  test('a rule that was taken out, and one whose time was changed, do not go at their old time', async () => {
    await world.sets('work', accept(1, 10), DROP);
    await world.sets('mail', accept(2, 10), DROP);
    await world.starts();
    await world.clock.pass(5000);
    await world.sets('work', DROP);
    await world.sets('mail', accept(2, 20), DROP);
    const head = world.head();
    await world.clock.pass(10_000);
    expect(world.head()).toBe(head);
    await world.clock.pass(10_000);
    expect(world.expiries()).toEqual([{ vm: 'mail', ms: at(20), by }]);
  });

  test('a rule that has expired when it is given goes at once', async () => {
    await world.starts();
    await world.clock.pass(5000);
    await world.sets('work', accept(1, 3), DROP);
    await world.clock.pass(0);
    expect(world.expiries()).toEqual([{ vm: 'work', ms: 5000, by }]);
  });

  test('a clock that is set past an expiry is noticed within a second', async () => {
    await world.sets('work', accept(1, 7200), DROP);
    await world.starts();
    await world.clock.pass(10_000);
    world.clock.step(3 * 3_600_000);
    await world.clock.pass(1000);
    expect(world.expiries()).toHaveLength(1);
    expect(world.expiries()[0]?.ms).toBeLessThanOrEqual(11_000 + 3 * 3_600_000);
    expect(await world.published('net', WORK)).toEqual([DROP]);
  });

  test('a clock that is set back makes a rule stay until the clock is there again; what has gone stays gone', async () => {
    await world.sets('work', accept(1, 10), accept(2, 60), DROP);
    await world.starts();
    await world.clock.pass(20_000);
    expect(world.expiries()).toHaveLength(1);
    world.clock.step(-3_600_000);
    await world.clock.pass(3_600_000 + 30_000);
    expect(world.expiries()).toHaveLength(1);
    await world.clock.pass(10_001);
    expect(world.expiries().map(({ ms }) => ms)).toEqual([at(10), at(60)]);
  });

  test('an expiry outlives a stop and a start of the VM, of its netvm, and a reload', async () => {
    await world.sets('work', accept(1, 60), DROP);
    await world.sets('mail', accept(2, 30), DROP);
    await world.starts();
    await world.does(to.stop('work'));
    await world.does(to.reload('mail'));
    await world.clock.pass(30_001);
    // A VM that does not run has rules all the same, in its file.
    await world.does(to.start('work'));
    expect(await world.published('net', WORK)).toEqual([entry(1), DROP]);
    expect(await world.published('net', MAIL)).toEqual([DROP]);
    await world.does(to.stop('work'));
    await world.clock.pass(40_000);
    expect(world.expiries()).toEqual([
      { vm: 'mail', ms: at(30), by },
      { vm: 'work', ms: at(60), by },
    ]);
    await world.does(to.start('work'));
    expect(await world.published('net', WORK)).toEqual([DROP]);
  });

  test('with nothing to expire, and while it waits, it writes nothing and holds nothing', async () => {
    await world.sets('work', accept(1, 100_000), DROP);
    await world.starts();
    await world.clock.pass(0);
    const head = world.head();
    const lease = () => world.ledger.db.prepare('SELECT token, pid FROM lease').get();
    const before = lease();
    expect(before).toMatchObject({ pid: null });
    await world.clock.pass(5_000_000);
    expect(world.head()).toBe(head);
    expect(lease()).toEqual(before);
  });
});

describe('a firewall.xml that somebody else changed', () => {
  test('keeps no rule in force beyond its time, and stays as they left it', async () => {
    await world.sets('work', accept(1, 10), DROP);
    const file = join(world.home.dir, 'appvms', 'work', 'firewall.xml');
    const theirs = `${readFileSync(file, 'utf8')}<!-- mine -->\n`;
    writeFileSync(file, theirs);
    await world.starts();
    await world.clock.pass(10_001);
    expect(world.expiries()).toEqual([{ vm: 'work', ms: at(10), by }]);
    expect(await world.published('net', WORK)).toEqual([DROP]);
    expect(readFileSync(file, 'utf8')).toBe(theirs);
    expect(await world.gives(to.setFirewall('work', ['action=accept']))).toBe('D_DRIFT');
    await world.does(to.reload('work'));
    expect(readFileSync(file, 'utf8')).not.toBe(theirs);
  });
});

describe('serve that starts', () => {
  test('after an expiry takes the rule out at once', async () => {
    await world.sets('work', accept(1, 10), DROP);
    await world.starts();
    await world.stops();
    await world.clock.pass(100_000);
    expect(world.expiries()).toEqual([]);
    await world.starts();
    await world.clock.pass(0);
    expect(world.expiries()).toEqual([{ vm: 'work', ms: 100_000, by }]);
    expect(await world.published('net', WORK)).toEqual([DROP]);
  });

  test('before an expiry still keeps its time', async () => {
    await world.starts();
    await world.sets('work', accept(1, 100), DROP);
    await world.stops();
    await world.clock.pass(50_000);
    await world.starts();
    await world.clock.pass(50_001);
    expect(world.expiries()).toEqual([{ vm: 'work', ms: at(100), by }]);
  });
});

describe('while another command holds the ledger', () => {
  test('an expired rule waits for its end, and goes within a second of it', async () => {
    await world.sets('work', accept(1, 10), DROP);
    await world.starts();
    await world.clock.pass(5000);
    world.leaseOf(process.ppid);
    await world.clock.pass(60_000);
    expect(world.expiries()).toEqual([]);
    expect(world.told).toContain('D_BUSY');
    world.leaseOf(null);
    await world.clock.pass(1000);
    expect(world.expiries()).toHaveLength(1);
    expect(world.expiries()[0]?.ms).toBeLessThanOrEqual(66_000);
  });
});
