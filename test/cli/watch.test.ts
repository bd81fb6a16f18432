import { beforeAll, describe, expect, test } from 'vitest';
import { starts } from './running.ts';
import { DOMTRAIL, emptyHome, environment, expectRefusal, runProgram, type Terminal } from './terminal.ts';

let terminal: Terminal;

beforeAll(async () => {
  terminal = await emptyHome();
  await terminal.does('init');
});

describe('domtrail watch', () => {
  test('prints what other processes do, as log prints it, until Ctrl-C', async () => {
    const seen = starts(terminal, 'watch', '--jsonl');
    const table = starts(terminal, 'watch', 'dom0', '--type', 'PropertySet');
    await table.says(/^EVENT {3}WHEN/);
    const newest = (await terminal.items<{ position: number }>('log')).at(-1)?.position ?? 0;
    // The other one says nothing before something happens, so more happens until it has heard.
    for (let n = 1; seen.out() === ''; n++) await terminal.does('prefs', 'default_kernel', `k${n}`);
    await terminal.does('vm', 'features', 'dom0', 'hello', 'world');
    await seen.says(/"FeatureSet"/);
    const lines = seen.out().trimEnd().split('\n');
    const log = (await terminal.does('log', '--jsonl', '--since', `ev:${newest + 1}`)).trimEnd().split('\n');
    expect(log.slice(-lines.length)).toEqual(lines);
    expect(await seen.ends('SIGINT')).toBe(130);
    expect(seen.err()).toBe('');
    expect(await table.ends('SIGINT')).toBe(130);
    // Nothing of what happened was about that.
    expect(table.out().trimEnd().split('\n')).toHaveLength(1);
  });

  test('ends without a word once its pipe is closed, though nothing happens', async () => {
    const line = `{ "${process.execPath}" "${DOMTRAIL}" watch; echo "ended $?" >&2; } | head -n 1`;
    const ended = await runProgram(['sh', '-c', line], environment(terminal.home));
    expect({ code: ended.code, err: ended.err }).toEqual({ code: 0, err: 'ended 0\n' });
    expect(ended.out).toMatch(/^EVENT .*\n$/);
  });

  test('--since begins in the past', async () => {
    const line = `{ "${process.execPath}" "${DOMTRAIL}" watch --since ev:1 --jsonl; echo "ended $?" >&2; } | head -n 2`;
    const ended = await runProgram(['sh', '-c', line], environment(terminal.home));
    expect({ code: ended.code, err: ended.err }).toEqual({ code: 0, err: 'ended 0\n' });
    const log = (await terminal.does('log', '--jsonl', '--until', 'ev:2')).trimEnd().split('\n');
    expect(ended.out.trimEnd().split('\n')).toEqual(log);
  });

  test('ends with the next event where nothing else tells that nobody reads', async () => {
    const line = `{ "${process.execPath}" "${DOMTRAIL}" watch --jsonl; echo "ended $?" >&2; } | head -n 1`;
    // No tail to be found: only writing tells.
    const ending = runProgram(['/bin/sh', '-c', line.replace('| head', '| /usr/bin/head')], {
      ...environment(terminal.home),
      PATH: '/nonexistent',
    });
    let isOver = false;
    void ending.then(() => {
      isOver = true;
    });
    for (let n = 1; !isOver; n++) await terminal.does('prefs', 'default_kernel', `again${n}`);
    expect((await ending).err).toBe('ended 0\n');
  });

  test('refuses what it cannot mean', async () => {
    expect(await terminal.run(['watch', '--json'])).toMatchObject({ code: 64, out: '' });
    expectRefusal(await terminal.run(['watch', '--at', 'ev:1']), 'D_USAGE');
    expectRefusal(await terminal.run(['watch', 'cmd:nobody']), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(['watch', '--since', 'ev:99999']), 'D_NOT_FOUND');
  });
});
