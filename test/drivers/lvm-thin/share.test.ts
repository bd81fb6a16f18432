import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startScript } from '../../../infrastructure/drivers/lvm-thin/script.ts';
import { lineOf, sharedLvm } from '../../../infrastructure/drivers/lvm-thin/share.ts';
import type { Run } from '../../../infrastructure/drivers/lvm-thin/work.ts';
import { run } from '../../../infrastructure/process/run.ts';

/** Behaves as lvm2 2.03.16 does with scripts: no separator, and the first line that fails is the last. */
const FAKE = `#!/bin/bash
carry_out() {
  case $1 in
    version) printf '  LVM version:     2.03.16(2)\\n  Library version: 1.02.185\\n  Driver version:  4.47.0\\n  Configuration:   ./configure\\n' ;;
    say) shift; for word; do printf '  %s\\n' "$word"; done ;;
    slow) sleep 0.4; echo done >"$2" ;;
    pid) echo "  $$" ;;
    warn) echo "  WARNING: $2" >&2 ;;
    fail) echo "  Failed to find it." >&2; exit "$2" ;;
    die) kill -KILL $$ ;;
    flood) head -c "$2" /dev/zero | tr '\\0' x; echo ;;
  esac
}
if [ ! -p "$1" ] || [ $# != 1 ]; then carry_out "$@"; exit; fi
[ -z "$NO_SCRIPTS" ] || { echo "  No such command.  Try 'help'." >&2; exit 2; }
exec <"$1"
read -r first
[ "\${first:0:2}" = '#!' ] || exit 2
while IFS= read -r line; do
  [ \${#line} -lt 255 ] || { echo "  Line too long (max 255)" >&2; exit 3; }
  eval "set -- $line"
  carry_out "$@"
done
`;

let dir = '';
const PATH = process.env['PATH'];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'domtrail-fake-'));
  await writeFile(join(dir, 'lvm'), FAKE);
  await chmod(join(dir, 'lvm'), 0o755);
  process.env['PATH'] = `${dir}:${PATH}`;
});

afterEach(async () => {
  process.env['PATH'] = PATH;
  delete process.env['NO_SCRIPTS'];
  await rm(dir, { recursive: true });
});

/** Counts what is run on its own. */
const counted = (): { readonly alone: Run; readonly ran: string[] } => {
  const ran: string[] = [];
  return {
    ran,
    alone: (argv, options) => {
      ran.push(argv.join(' ').replace(/ \/.*/, ''));
      return run(argv, options);
    },
  };
};

describe('lvm commands that share a process', () => {
  test('come from one process, each with its own output, exit code and words', async () => {
    const { alone, ran } = counted();
    const lvm = sharedLvm(alone);
    const [first, said, second] = await Promise.all([
      lvm(['lvm', 'pid']),
      lvm(['lvm', 'say', 'a b', 'x="y"']),
      lvm(['lvm', 'pid']),
    ]);
    expect(said).toMatchObject({
      stdout: '  a b\n  x="y"\n',
      evidence: { argv: [['lvm', 'say', 'a b', 'x="y"']], exitCode: 0, stderr: '' },
    });
    expect(first?.stdout).toMatch(/^ {2}\d+\n$/);
    expect(second?.stdout).toBe(first?.stdout);
    expect(ran).toEqual(['mkfifo -m 600']);
  });

  test('keep their warnings apart', async () => {
    const lvm = sharedLvm(run);
    expect((await lvm(['lvm', 'warn', 'one'])).evidence.stderr).toBe('  WARNING: one\n');
    expect((await lvm(['lvm', 'say', 'two'])).evidence.stderr).toBe('');
    expect((await lvm(['lvm', 'warn', 'three'])).evidence.stderr).toBe('  WARNING: three\n');
  });

  test('fail with their own exit code, and the next one gets a new process', async () => {
    const lvm = sharedLvm(run);
    const before = await lvm(['lvm', 'pid']);
    const [failed, after] = await Promise.all([lvm(['lvm', 'fail', '5']), lvm(['lvm', 'pid'])]);
    expect(failed.evidence).toMatchObject({ exitCode: 5, stderr: '  Failed to find it.\n' });
    expect(after.evidence.exitCode).toBe(0);
    expect(after.stdout).not.toBe(before.stdout);
  });

  test('that are killed have no exit code, and what waits behind them is carried out by another', async () => {
    const lvm = sharedLvm(run);
    const [killed, after] = await Promise.all([lvm(['lvm', 'die']), lvm(['lvm', 'say', 'on'])]);
    expect(killed.evidence).toMatchObject({ exitCode: null, stderr: 'lvm: killed by SIGKILL\n' });
    expect(after).toMatchObject({ stdout: '  on\n', evidence: { exitCode: 0 } });
  });

  test('run on their own when they do not fit into a line, or need a descriptor', async () => {
    const { alone, ran } = counted();
    const lvm = sharedLvm(alone);
    const long = 'x'.repeat(260);
    expect((await lvm(['lvm', 'say', long])).stdout).toBe(`  ${long}\n`);
    expect((await lvm(['lvm', 'say', "it's"])).stdout).toBe("  it's\n");
    expect((await lvm(['lvm', 'say', 'a\nb'])).stdout).toBe('  a\nb\n');
    expect((await lvm(['lvm', 'say', 'here'], { timeoutMs: 5000 })).stdout).toBe('  here\n');
    expect(ran).toHaveLength(4);
  });

  test('run on their own where lvm takes no scripts', async () => {
    process.env['NO_SCRIPTS'] = '1';
    const { alone, ran } = counted();
    const lvm = sharedLvm(alone);
    expect((await lvm(['lvm', 'say', 'a'])).stdout).toBe('  a\n');
    expect((await lvm(['lvm', 'fail', '3'])).evidence.exitCode).toBe(3);
    expect(ran).toEqual(['mkfifo -m 600', 'lvm say a', 'lvm fail 3']);
  });

  test('end with the command under way when nobody is left to ask for more', async () => {
    const script = await startScript(['lvm'], run);
    if (!script) throw new Error('no script');
    const pid = Number((await script.ask('pid')).stdout);
    const slow = script.ask(`slow ${join(dir, 'out')}`);
    // The pipe closes, as by the death of whoever asked.
    script.end();
    expect((await slow).exitCode).toBe(0);
    expect(await readFile(join(dir, 'out'), 'utf8')).toBe('done\n');
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
    expect(script.alive()).toBe(false);
  });

  test('leave nothing in the directory for temporary files', async () => {
    process.env['TMPDIR'] = dir;
    try {
      await sharedLvm(run)(['lvm', 'pid']);
    } finally {
      delete process.env['TMPDIR'];
    }
    expect(await readdir(dir)).toEqual(['lvm']);
  });

  test('give no exit code to one that prints without end, and go on after it', async () => {
    const lvm = sharedLvm(run);
    const [flood, after] = await Promise.all([lvm(['lvm', 'flood', '70000000']), lvm(['lvm', 'say', 'on'])]);
    expect(flood.evidence.exitCode).toBeNull();
    expect(after.stdout).toBe('  on\n');
  });
});

describe('a line of a script', () => {
  test('quotes what lvm would take apart, and gives up where quotes cannot help', () => {
    expect(lineOf(['lvrename', '--config', 'a b="c"', '--', 'v/x-1', 'v/y+2'])).toBe(
      `lvrename --config 'a b="c"' -- v/x-1 v/y+2`,
    );
    expect(lineOf(['lvs', ''])).toBe("lvs ''");
    expect(lineOf(['lvs', "'"])).toBeNull();
    expect(lineOf(['lvs', '#x'])).toBe("lvs '#x'");
    expect(lineOf(['x'.repeat(253)])).not.toBeNull();
    expect(lineOf(['x'.repeat(254)])).toBeNull();
    expect(lineOf(['é'.repeat(126)])).toBeNull();
  });
});
