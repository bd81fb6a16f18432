import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectRefusal, homeWithWork, type Terminal, writeAt } from './terminal.ts';

const PATIENCE = 120_000;
const LENGTH = 5;
const PRIVATE = 'work:private';

type OpItem = { readonly id: string; readonly name: string; readonly current: boolean; readonly restored: unknown };
type Undone = { readonly operationName: string; readonly lost: readonly string[]; readonly outcome: string };

const session = async (terminal: Terminal, text: string): Promise<void> => {
  await terminal.does('vm', 'start', 'work');
  writeAt(join(terminal.home, 'pools/default/appvms/work/private-dirty.img'), text);
  await terminal.does('vm', 'stop', 'work');
};

describe.concurrent('undo on the command line', { timeout: PATIENCE }, () => {
  test('goes back setting by setting, redo forward again, and op log says where it stands', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'prefs', 'work', 'memory', '500');
    await terminal.does('firewall', 'set', 'work', 'action=drop', '-m', 'no network for work');
    const rules = async () => (await terminal.item<{ rules: readonly string[] }>('firewall', 'get', 'work')).rules;
    expect(await terminal.run(['undo', '--plan'])).toMatchObject({ code: 2, err: '' });
    expect(await rules()).toEqual(['action=drop']);
    expect(await terminal.does('undo')).toMatch(/^undone: SetFirewall cmd:[0-9a-f]{8}\n$/);
    expect(await rules()).toEqual(['action=accept']);
    expect(await terminal.item<Undone>('undo')).toMatchObject({ operationName: 'SetProperty', outcome: 'completed' });
    expect((await terminal.run(['vm', 'prefs', 'work', 'memory'])).code).toBe(3);
    const log = await terminal.items<OpItem>('op', 'log');
    expect(log.map(({ name }) => name)).toEqual([
      'RestoreOperation',
      'RestoreOperation',
      'SetFirewall',
      'SetProperty',
      'CreateVM',
      'CreateVM',
      'InitHost',
    ]);
    expect(log.findIndex(({ current }) => current)).toBe(4);
    await terminal.does('redo');
    await terminal.does('redo');
    expect(await rules()).toEqual(['action=drop']);
    expect(await terminal.does('redo')).toBe('nothing to do\n');
    expect(await terminal.does('op', 'show', '@')).toContain('firewall rule 0: action=drop');
    expect(await terminal.does('show', '@-')).toContain('RestoreOperation');
    const differs = await terminal.run(['diff', '@-', '@', 'work']);
    expect(differs).toMatchObject({ code: 2, err: '' });
    expect(differs.out).toContain('firewall rule 0');
    expect((await terminal.run(['firewall', 'get', 'work', '--at', '@-'])).out).not.toContain('drop');
    await terminal.isSound();
  });

  test('of a stop says what does not come back, and asks; the content is what it was', async () => {
    const terminal = await homeWithWork();
    await session(terminal, 'first');
    await session(terminal, 'later');
    const asked = await terminal.run(['undo']);
    expect(asked.code).toBe(7);
    expect(asked.err).toMatch(/not undone: work was running: it stays halted, and its volatile volumes are gone/);
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('later');
    const undone = await terminal.item<Undone>('undo', '--yes');
    expect(undone.lost).toContain('work was running: it stays halted, and its volatile volumes are gone');
    expect(await terminal.contents(PRIVATE, LENGTH)).toEqual(['first', 'later', 'first']);
    expect((await terminal.run(['redo', '--yes'])).code).toBe(0);
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('later');
    await terminal.does('vm', 'start', 'work');
    const refused = await terminal.run(['undo', '--yes']);
    expectRefusal(refused, 'D_CANNOT_UNDO');
    expect(refused.err).toContain('work is running and goes on: domtrail vm stop work');
    await terminal.isSound();
  });

  test('of a removal brings the VM back with its data until gc has erased it', async () => {
    const terminal = await homeWithWork();
    await session(terminal, 'first');
    expect(await terminal.does('vm', 'remove', 'work', '--yes')).toContain('domtrail undo brings it back');
    const [kept] = (await terminal.item<{ kept: readonly Record<string, unknown>[] }>('retention', PRIVATE)).kept;
    expect(kept).toMatchObject({ is: 'trash', goes: 'stays', object: PRIVATE });
    expect(await terminal.does('gc', '--yes')).toMatch(/^nothing may go yet, 2 stay/);
    await terminal.does('undo');
    expect(await terminal.contents(PRIVATE, LENGTH)).toEqual(['.....', 'first']);
    await terminal.does('vm', 'start', 'work');
    await terminal.does('vm', 'stop', 'work');
    await terminal.does('vm', 'remove', 'work', '--yes');
    expect(await terminal.does('gc', '--all', '--yes')).toMatch(/^\d disks? erased/);
    expectRefusal(await terminal.run(['undo']), 'D_CANNOT_UNDO');
    await terminal.isSound();
  });

  test('op restore goes to a whole state, or back for one VM only, and needs --yes', async () => {
    const terminal = await homeWithWork();
    const [point] = await terminal.items<OpItem>('op', 'log');
    await terminal.does('vm', 'tags', 'work', 'add', 'mine');
    await terminal.does('vm', 'tags', 'debian', 'add', 'mine');
    await terminal.does('vm', 'create', 'extra', '--class', 'StandaloneVM');
    const id = point?.id ?? '';
    expectRefusal(await terminal.run(['op', 'restore', id, '--only', 'work']), 'D_NEEDS_YES');
    expect(await terminal.run(['op', 'restore', id, '--only', 'work', '--plan'])).toMatchObject({ code: 2, err: '' });
    await terminal.does('op', 'restore', id, '--only', 'work', '--yes');
    expect(await terminal.does('vm', 'tags', 'work')).not.toContain('mine');
    expect(await terminal.does('vm', 'tags', 'debian')).toContain('mine');
    expectRefusal(await terminal.run(['op', 'restore', id, '--only', 'nobody', '--yes']), 'D_NOT_FOUND');
    const all = await terminal.run(['op', 'restore', id, '--yes']);
    expect(all).toMatchObject({ code: 0 });
    expect(all.err).toContain('goes: VM extra; its disks wait in the trash');
    expect(await terminal.stateOf('extra')).toBeUndefined();
    expect(await terminal.does('vm', 'tags', 'debian')).not.toContain('mine');
    await terminal.isSound();
  });

  test('the same --id is done once, and the beginning cannot be undone', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'tags', 'work', 'add', 'mine');
    await terminal.does('vm', 'tags', 'work', 'add', 'yours');
    await terminal.does('undo', '--id', 'once');
    expect(await terminal.item('undo', '--id', 'once')).toMatchObject({ repeated: true });
    expect(await terminal.does('vm', 'tags', 'work')).toContain('mine');
    for (let n = 0; n < 3; n++) expect((await terminal.run(['undo', '--yes'])).code).toBe(0);
    expect(await terminal.stateOf('debian')).toBeUndefined();
    expectRefusal(await terminal.run(['undo']), 'D_CANNOT_UNDO');
  });

  for (const point of ['kill@after-step:2', 'kill@before-commit']) {
    test(`killed at ${point}, an undo is after recover done or not begun`, async () => {
      const terminal = await homeWithWork();
      await session(terminal, 'first');
      const ended = await terminal.run(['undo', '--yes'], { env: { DOMTRAIL_FAULT: point } });
      expect(ended.signal).toBe('SIGKILL');
      if (point !== 'kill@before-commit') expectRefusal(await terminal.run(['undo', '--yes']), 'D_BUSY');
      await terminal.recovers(point);
      const done = ['.....', 'first', '.....'];
      const before = ['.....', 'first'];
      expect(await terminal.contents(PRIVATE, LENGTH)).toEqual(point === 'kill@before-commit' ? before : done);
      await terminal.isSound();
    });
  }
});
