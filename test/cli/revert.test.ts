import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectRefusal, homeWithWork, type Terminal, writeAt } from './terminal.ts';

const PRIVATE = 'work:private';
const LENGTH = 5;
type Op = { readonly id: string; readonly name: string; readonly restored: { readonly kind: string } | null };

const session = async (terminal: Terminal, text: string): Promise<void> => {
  await terminal.does('vm', 'start', 'work');
  writeAt(join(terminal.home, 'pools/default/appvms/work/private-dirty.img'), text);
  await terminal.does('vm', 'stop', 'work');
};
const last = async (terminal: Terminal): Promise<string> => (await terminal.items<Op>('op', 'log'))[0]?.id ?? '';

describe.concurrent('op revert', { timeout: 120_000 }, () => {
  test('takes one older operation out and leaves what came since; undo takes that back', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'prefs', 'work', 'memory', '500');
    const memory = await last(terminal);
    await terminal.does('vm', 'tags', 'work', 'add', 'mine');
    await terminal.does('firewall', 'set', 'debian', 'action=drop');
    expect(await terminal.run(['op', 'revert', memory, '--plan'])).toMatchObject({ code: 2, err: '' });
    expect(await terminal.does('op', 'revert', memory)).toBe(`taken out: SetProperty cmd:${memory.slice(0, 8)}\n`);
    expect((await terminal.run(['vm', 'prefs', 'work', 'memory'])).code).toBe(3);
    expect(await terminal.does('vm', 'tags', 'work')).toContain('mine');
    expect((await terminal.items<Op>('op', 'log'))[0]).toMatchObject({
      restored: { kind: 'revert', operation: memory },
    });
    await terminal.does('undo');
    expect(await terminal.does('vm', 'prefs', 'work', 'memory')).toContain('500');
    await terminal.isSound();
  });

  test('refuses what was changed again, names who did, and does it once that one is out', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'prefs', 'work', 'memory', '500');
    const first = await last(terminal);
    await terminal.does('vm', 'prefs', 'work', 'memory', '600');
    const second = await last(terminal);
    const refused = await terminal.run(['op', 'revert', first]);
    expectRefusal(refused, 'D_CANNOT_UNDO');
    expect(refused.code).toBe(4);
    expect(refused.err).toContain(`property memory of work was changed since by SetProperty cmd:${second.slice(0, 8)}`);
    await terminal.does('op', 'revert', '@');
    await terminal.does('op', 'revert', first);
    expect((await terminal.run(['vm', 'prefs', 'work', 'memory'])).code).toBe(3);
    const beginning = (await terminal.items<Op>('op', 'log')).at(-1)?.id ?? '';
    expectRefusal(await terminal.run(['op', 'revert', beginning]), 'D_CANNOT_UNDO');
    expectRefusal(await terminal.run(['op', 'revert', 'nobody']), 'D_NOT_FOUND');
    await terminal.does('replay');
    await terminal.isSound();
  });

  test('gives a volume the content back that an old revert took, unless a session went on from there', async () => {
    const terminal = await homeWithWork();
    await session(terminal, 'first');
    await session(terminal, 'later');
    await terminal.does('volume', 'revert', PRIVATE);
    const reverted = await last(terminal);
    await terminal.does('vm', 'tags', 'work', 'add', 'mine');
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('first');
    await terminal.does('op', 'revert', reverted);
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('later');
    expect(await terminal.does('vm', 'tags', 'work')).toContain('mine');
    await terminal.does('undo');
    await session(terminal, 'third');
    const refused = await terminal.run(['op', 'revert', reverted]);
    expectRefusal(refused, 'D_CANNOT_UNDO');
    expect(refused.err).toMatch(/content of work:private was changed since by .*StopVM cmd:/);
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('third');
    await terminal.isSound();
  });

  test('says before it asks what does not come back; a removed VM does', async () => {
    const terminal = await homeWithWork();
    await session(terminal, 'first');
    const stop = await last(terminal);
    await terminal.does('vm', 'create', 'extra', '--class', 'AppVM', '--template', 'debian');
    const created = await last(terminal);
    await terminal.does('vm', 'remove', 'work', '--yes');
    const removed = await last(terminal);
    const asked = await terminal.run(['op', 'revert', created]);
    expectRefusal(asked, 'D_NEEDS_YES');
    expect(asked.err).toContain('goes: VM extra; its disks wait in the trash');
    expect((await terminal.run(['op', 'revert', created, '--yes'])).code).toBe(0);
    await terminal.does('op', 'revert', removed);
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('first');
    const stopped = await terminal.run(['op', 'revert', stop]);
    expect([4, 7]).toContain(stopped.code);
    await terminal.isSound();
  });
});
