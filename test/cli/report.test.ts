import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isWellFormed } from '../projections/well-formed.ts';
import { expectRefusal, homeWithWork, type Terminal } from './terminal.ts';

let terminal: Terminal;
const file = (name: string): string => join(dirname(terminal.home), name);

// Reading changes nothing, so all tests read the same home.
beforeAll(async () => {
  terminal = await homeWithWork();
  await terminal.does('vm', 'start', 'work');
  await terminal.does('vm', 'stop', 'work', '-m', '<script>alert("\u202e")</script>');
  await terminal.does('volume', 'revert', 'work:private', '-m', 'broken update');
  await terminal.run(['vm', 'start', 'nobody']);
}, 120_000);

describe('lineage --svg', () => {
  test('writes a picture for its owner only, or to stdout', async () => {
    expect(await terminal.does('lineage', 'work:private', '--svg', '-o', file('work.svg'))).toBe('');
    const picture = readFileSync(file('work.svg'), 'utf8');
    expect(statSync(file('work.svg')).mode & 0o777).toBe(0o600);
    expect(picture).toBe(await terminal.does('lineage', 'work:private', '--svg'));
    expect(isWellFormed(picture)).toBe(true);
    expect(picture).toMatch(/Went back once, last at ev:\d+/);
    expect(picture).toContain('broken update');
    expect(picture).not.toMatch(/<script|\u202e/);
  });

  test('shows a moment of the past, and refuses -o without --svg', async () => {
    const items = await terminal.items<{ position: number; type: string }>('log', 'work:private');
    const reverted = items.find(({ type }) => type === 'VolumeReverted')?.position ?? 0;
    const before = await terminal.does('lineage', 'work:private', '--svg', '--at', `ev:${reverted - 1}`);
    expect(before).toContain('Never went back');
    expectRefusal(await terminal.run(['lineage', 'work:private', '-o', file('x')]), 'D_USAGE');
  });
});

describe('report --html', () => {
  test('writes one page in place of an older one, whole, for its owner only', async () => {
    mkdirSync(file('out'));
    writeFileSync(file('out/r.html'), 'older', { mode: 0o644 });
    expect(await terminal.does('report', '--html', '-o', file('out/r.html'))).toBe('');
    const page = readFileSync(file('out/r.html'), 'utf8');
    expect(statSync(file('out/r.html')).mode & 0o777).toBe(0o600);
    expect(readdirSync(file('out'))).toEqual(['r.html']);
    expect(isWellFormed(page)).toBe(true);
    expect(page).not.toMatch(/<script|\u202e|https?:/);
    expect(page).toContain('StartVM nobody refused');
    expect(page).toMatch(/\d+(\.\d)? GiB of .* used, /);
    for (const volume of ['debian:root', 'debian:private', 'work:private'])
      expect(page).toContain(`Lineage of ${volume}`);
    const { head } = await terminal.item<{ readonly head: { readonly hash: string } }>('verify');
    expect(page).toContain(head.hash);
  });

  test('reads a copy without touching it, names no host there, and shows a span of events', async () => {
    await terminal.does('verify');
    copyFileSync(join(terminal.home, 'ledger.db'), file('copy.db'));
    const before = readFileSync(file('copy.db'));
    const page = await terminal.does('report', '--html', '-o', '-', '--db', file('copy.db'), '-n', '5');
    expect(page).toContain('not named in a copied log');
    expect(page).toMatch(/older events left out/);
    expect(readFileSync(file('copy.db')).equals(before)).toBe(true);
    const early = await terminal.does(
      'report',
      '--html',
      '-o',
      '-',
      '--at',
      'ev:20',
      '--since',
      'ev:3',
      '--until',
      'ev:10',
    );
    expect(early).toContain('ev:3 to ev:10; 2 older events left out; 10 later events left out');
  });

  test('refuses what is no file, and says how to call it', async () => {
    expectRefusal(await terminal.run(['report', '--html', '-o', terminal.home]), 'D_USAGE');
    expectRefusal(await terminal.run(['report', '--html', '-o', '/dev/null']), 'D_USAGE');
    expectRefusal(await terminal.run(['report', '--html', '-o', file('nowhere/r.html')]), 'D_STEP_FAILED');
    const missing = await terminal.run(['report', '--html']);
    expectRefusal(missing, 'D_USAGE');
    expect(missing.err).toContain('--html -o FILE');
  });
});
