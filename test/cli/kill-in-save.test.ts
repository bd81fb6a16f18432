import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DOMTRAIL, emptyHome, environment, runProgram } from './terminal.ts';

const KILLER = fileURLToPath(new URL('kill-in-save.cjs', import.meta.url));

test('qubes.xml is the old or the new document whenever its writer is killed, and recover brings it to the log', async () => {
  const terminal = await emptyHome();
  await terminal.does('init');
  const file = join(terminal.home, 'qubes.xml');
  let kills = 0;
  for (let at = 1; at < 40; at++) {
    const before = readFileSync(file, 'utf8');
    const argv = [process.execPath, '--require', KILLER, DOMTRAIL, 'label', 'add', `lime${at}`, '0x00ff00'];
    const { signal } = await runProgram(argv, environment(terminal.home, { KILL_IN_SAVE: String(at) }));
    if (signal === null) break;
    kills++;
    const now = readFileSync(file, 'utf8');
    await terminal.does('recover');
    const after = readFileSync(file, 'utf8');
    expect([before, after]).toContain(now);
    expect(after).toContain(`>lime${at}<`);
    expect(after).toBe(await terminal.does('xml'));
    expect(readdirSync(terminal.home).filter((name) => name.startsWith('qubes.xml'))).toEqual(['qubes.xml']);
  }
  expect(kills).toBeGreaterThan(6);
  await terminal.isSound();
}, 120_000);
