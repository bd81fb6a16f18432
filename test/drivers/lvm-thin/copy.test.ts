import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stdinInArgv } from '../../../infrastructure/drivers/lvm-thin/argv.ts';
import { copy } from '../../../infrastructure/drivers/lvm-thin/copy.ts';
import { run } from '../../../infrastructure/process/run.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'domtrail-copy-'));
});
afterEach(() => rm(dir, { recursive: true }));

const BLOCK = 128 * 1024;
const TOTAL = 3 * BLOCK;

/** The part of a work that a copy uses, on the real `dd`. */
const working = () => {
  const told: number[] = [];
  return { told, work: { program: run, progress: (done: number) => told.push(done) } };
};

describe('a copy by the real dd', () => {
  test('tells how far it is while it goes on, and keeps nothing of that', async () => {
    const { told, work } = working();
    const target = join(dir, 'target');
    await writeFile(target, '');
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    const pipe = await open(join(dir, 'pipe'), constants.O_RDWR);
    const copied = copy(work, stdinInArgv(target, TOTAL), TOTAL, { stdin: pipe.fd });
    let over = false;
    void copied.finally(() => {
      over = true;
    });
    // dd speaks at most once a second, when a block is done: the third of three is not done sooner than in two.
    while (!over) {
      await pipe.write(Buffer.alloc(12 * 1024, 'a'));
      await sleep(100);
    }
    const { evidence } = await copied;
    await pipe.close();
    expect(evidence).toMatchObject({ exitCode: 0, stderr: '' });
    expect(told[0]).toBeGreaterThan(0);
    expect(told.every((done, index) => done < TOTAL && done >= (told[index - 1] ?? 0))).toBe(true);
    expect((await readFile(target)).length).toBe(TOTAL);
  });

  test('keeps what dd complains about', async () => {
    const { told, work } = working();
    const { evidence } = await copy(work, stdinInArgv(join(dir, 'missing'), TOTAL), TOTAL);
    expect(evidence.exitCode).toBe(1);
    expect(evidence.stderr).toContain('No such file or directory');
    expect(told).toEqual([]);
  });
});
