import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NOT_STARTED, run } from '../../infrastructure/process/run.ts';

describe('a program that is run', () => {
  test('gives its output, exit code and exact argv', async () => {
    const argv = ['sh', '-c', 'echo "$1"; echo oops >&2; exit 3', 'sh', 'a b; $HOME'] as const;
    const { stdout, evidence } = await run(argv);
    expect(stdout).toBe('a b; $HOME\n');
    expect(evidence).toMatchObject({ argv: [argv], exitCode: 3, stderr: 'oops\n' });
    expect(evidence.durationMs).toBeGreaterThanOrEqual(0);
  });

  test('speaks the language that drivers understand, in the environment it was given', async () => {
    const { stdout } = await run(['sh', '-c', 'echo "$LC_ALL/$LANGUAGE/$LVM_SUPPRESS_FD_WARNINGS/$PATH"']);
    expect(stdout).toBe(`C.UTF-8//1/${process.env['PATH']}\n`);
  });

  test('finds nothing on stdin unless it is given something', async () => {
    expect((await run(['cat'])).stdout).toBe('');
    expect((await run(['cat'], { input: 'some text' })).stdout).toBe('some text');
  });

  test('can be heard line by line, and nothing of it is kept', async () => {
    const lines: string[] = [];
    const argv = ['sh', '-c', 'echo one; printf "tw"; sleep 0.05; echo o; echo; printf last'] as const;
    const { stdout, evidence } = await run(argv, { eachLine: (line) => void lines.push(line), maxBytes: 4 });
    expect([stdout, evidence.exitCode]).toEqual(['', 0]);
    expect(lines).toEqual(['one', 'two', '', 'last']);
  });

  test('can be given open files as stdin and stdout', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'domtrail-run-'));
    const handle = await open(join(directory, 'file'), 'w+');
    const written = await run(['echo', 'through'], { stdout: handle.fd });
    await handle.close();
    const again = await open(join(directory, 'file'), 'r');
    const { stdout } = await run(['cat'], { stdin: again.fd });
    await again.close();
    expect([written.stdout, stdout]).toEqual(['', 'through\n']);
    expect(await readFile(join(directory, 'file'), 'utf8')).toBe('through\n');
    await rm(directory, { recursive: true });
  });

  test('that does not exist or may not be started is evidence, not an exception', async () => {
    const missing = await run(['domtrail-no-such-program']);
    expect(missing.evidence.exitCode).toBe(NOT_STARTED);
    // An unreadable directory in PATH turns "not found" into "permission denied".
    expect(missing.evidence.stderr).toMatch(
      /^domtrail-no-such-program: (command not found|could not be started \(EACCES\))$/,
    );
    const directory = await run(['/']);
    expect(directory.evidence.exitCode).toBe(NOT_STARTED);
    expect(directory.evidence.stderr).toContain('EACCES');
    const closed = await run(['cat'], { stdin: 987_654 });
    expect(closed.evidence.exitCode).not.toBe(0);
    const nowhere = await run(['pwd'], { cwd: '/domtrail-no-such-directory' });
    expect(nowhere.evidence.exitCode).not.toBe(0);
  });

  test('can be watched line by line while it runs; what was only for the watcher is not kept', async () => {
    const lines: string[] = [];
    const watch = (line: string): boolean => {
      lines.push(line);
      return line.startsWith('progress');
    };
    const script = `printf 'progress 1\\rprog' >&2; printf 'ress 2\\rwarning\\nlast' >&2; echo out`;
    const { stdout, evidence } = await run(['sh', '-c', script], { watch });
    expect(lines).toEqual(['progress 1', 'progress 2', 'warning', 'last']);
    expect([stdout, evidence.stderr]).toEqual(['out\n', 'warning\nlast\n']);
    const missing = await run(['domtrail-no-such-program'], { watch: () => true });
    expect(missing.evidence.exitCode).toBe(NOT_STARTED);
  });

  test('that was killed has no exit code', async () => {
    const { evidence } = await run(['sh', '-c', 'kill -KILL $$']);
    expect(evidence).toMatchObject({ exitCode: null, stderr: 'sh: killed by SIGKILL' });
  });

  test('that takes too long or prints too much is stopped', async () => {
    const slow = await run(['sleep', '600'], { timeoutMs: 50 });
    expect(slow.evidence).toMatchObject({ exitCode: null, stderr: 'sleep: stopped after 50 ms' });
    const loud = await run(['yes'], { maxBytes: 1000 });
    expect(loud.evidence.exitCode).toBeNull();
    expect(loud.evidence.stderr).toContain('yes: stopped because it printed too much');
    expect(loud.stdout.length).toBeLessThanOrEqual(1000);
  });

  test('leaves a bounded account of its complaints, with their beginning and end', async () => {
    const { evidence } = await run(['sh', '-c', 'echo first >&2; seq 1 20000 >&2; echo last >&2; exit 1']);
    expect(evidence.stderr.length).toBeLessThan(9000);
    expect(evidence.stderr.startsWith('first\n')).toBe(true);
    expect(evidence.stderr.endsWith('last\n')).toBe(true);
  });
});
