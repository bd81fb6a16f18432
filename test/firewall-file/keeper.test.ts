import { hash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RuleLine } from '../../domain/firewall/rule.ts';
import type { VmName } from '../../domain/names.ts';
import type { Deed } from '../../domain/steps.ts';
import { firewallFiles } from '../../infrastructure/firewall-file/keeper.ts';
import { firewallXml } from '../../infrastructure/firewall-xml/write.ts';

type WriteFirewall = Extract<Deed, { do: 'writeFirewall' }>;

const A = ['action=accept' as RuleLine];
const B = ['action=drop' as RuleLine, 'action=accept comment=b' as RuleLine];

const deed = (
  before: readonly RuleLine[] | null,
  after: readonly RuleLine[] | null,
  over: WriteFirewall['over'] = 'ours',
): WriteFirewall => ({
  do: 'writeFirewall',
  vm: 'work' as VmName,
  path: 'appvms/work/firewall.xml',
  before,
  after,
  over,
});

let home = '';
const dir = () => join(home, 'appvms', 'work');
const path = () => join(dir(), 'firewall.xml');
const content = () => (existsSync(path()) ? readFileSync(path(), 'utf8') : null);
const put = (text: string): void => {
  mkdirSync(dir(), { recursive: true });
  writeFileSync(path(), text);
};

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'domtrail-firewall-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** Named after its content, so that it is in the way of no other. */
const temporaryFor = (lines: readonly RuleLine[]): string =>
  `${path()}~${hash('sha256', firewallXml(lines)).slice(0, 8)}`;

const stands = async (one: WriteFirewall): Promise<string> => {
  const looked = await firewallFiles(home).look(one);
  return looked.ok ? looked.value : looked.error.code;
};
const act = async (one: WriteFirewall): Promise<string | null> =>
  (await firewallFiles(home).act(one)).failure?.code ?? null;

describe('a deed on firewall.xml', () => {
  test('makes the directory and the file, readable as stock has it, and is done then', async () => {
    expect(await stands(deed(null, A))).toBe('ready');
    expect(await act(deed(null, A))).toBeNull();
    expect(content()).toBe(firewallXml(A));
    expect(statSync(path()).mode & 0o777).toBe(0o664);
    expect(readdirSync(dir())).toEqual(['firewall.xml']);
    expect(await stands(deed(null, A))).toBe('done');
  });

  test('goes from one list to the other and back', async () => {
    put(firewallXml(A));
    expect(await stands(deed(A, B))).toBe('ready');
    expect(await act(deed(A, B))).toBeNull();
    expect([content(), await stands(deed(A, B)), await stands(deed(B, A))]).toEqual([firewallXml(B), 'done', 'ready']);
    expect(await act(deed(B, A))).toBeNull();
    expect(content()).toBe(firewallXml(A));
  });

  test('uses up the half-written temporary file of a crash', async () => {
    put(firewallXml(A));
    writeFileSync(temporaryFor(B), firewallXml(B).slice(0, 50));
    expect(await stands(deed(A, B))).toBe('ready');
    expect(await act(deed(A, B))).toBeNull();
    expect([content(), readdirSync(dir())]).toEqual([firewallXml(B), ['firewall.xml']]);
  });

  test('takes the file away, and the directory when it is empty', async () => {
    put(firewallXml(A));
    expect(await act(deed(A, null))).toBeNull();
    expect([existsSync(dir()), existsSync(join(home, 'appvms'))]).toEqual([false, true]);
    expect(await stands(deed(A, null))).toBe('done');
  });

  test('leaves a directory in which something else lies', async () => {
    put(firewallXml(A));
    writeFileSync(join(dir(), 'notes'), 'mine');
    expect(await act(deed(A, null))).toBeNull();
    expect(readdirSync(dir())).toEqual(['notes']);
  });
});

describe('a file that is not as the log left it', () => {
  const THEIRS = '<firewall version="2">\n  <rules/>\n</firewall>\n<!-- mine -->\n';

  test('is drift and stays as it is', async () => {
    put(THEIRS);
    for (const one of [deed(A, B), deed(null, B), deed(A, null)]) {
      expect([await stands(one), await act(one), content()]).toEqual(['D_DRIFT', 'D_DRIFT', THEIRS]);
    }
  });

  test('is drift when it is gone', async () => {
    expect(await stands(deed(A, B))).toBe('D_DRIFT');
  });

  test('is left as it is, and no reason to stop, when a rule expires', async () => {
    put(THEIRS);
    expect([await stands(deed(A, B, 'oursElseLeave')), content()]).toEqual(['done', THEIRS]);
    put(firewallXml(A));
    expect(await stands(deed(A, B, 'oursElseLeave'))).toBe('ready');
    rmSync(path());
    symlinkSync('/etc/hostname', path());
    expect(await stands(deed(A, B, 'oursElseLeave'))).toBe('done');
  });

  test('is kept beside when a reload goes over it, once for each content', async () => {
    put(THEIRS);
    expect(await stands(deed(A, A, 'anything'))).toBe('ready');
    expect(await act(deed(A, A, 'anything'))).toBeNull();
    put(THEIRS);
    expect(await act(deed(A, A, 'anything'))).toBeNull();
    const [ours, theirs, ...more] = readdirSync(dir()).sort();
    expect([ours, theirs, more]).toEqual([
      'firewall.xml',
      expect.stringMatching(/^firewall\.xml\.foreign-[0-9a-f]{8}$/),
      [],
    ]);
    expect([content(), readFileSync(join(dir(), theirs ?? ''), 'utf8')]).toEqual([firewallXml(A), THEIRS]);
  });

  test('is kept beside when its VM is removed', async () => {
    put(THEIRS);
    expect(await act(deed(A, null, 'anything'))).toBeNull();
    expect(readdirSync(dir())).toEqual([expect.stringMatching(/^firewall\.xml\.foreign-/)]);
  });

  test('is not written through a symlink, neither of the file nor of the directory', async () => {
    const outside = join(home, 'outside');
    mkdirSync(outside);
    mkdirSync(join(home, 'appvms'));
    symlinkSync(outside, dir());
    expect([await stands(deed(null, A)), await act(deed(null, A))]).toEqual(['D_DRIFT', 'D_DRIFT']);
    await rm(dir());
    mkdirSync(dir());
    symlinkSync(join(outside, 'target'), path());
    expect([await stands(deed(null, A)), await act(deed(null, A))]).toEqual(['D_DRIFT', 'D_DRIFT']);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('an error of the file system', () => {
  test.skipIf(process.getuid?.() === 0)(
    'is a failure of the step, with the path (skipped as root, who may write anywhere)',
    async () => {
      mkdirSync(dir(), { recursive: true });
      chmodSync(dir(), 0o500);
      expect(await act(deed(null, A))).toBe('D_STEP_FAILED');
      chmodSync(dir(), 0o700);
    },
  );

  test('a directory in the place of the temporary file fails the step and leaves the old file', async () => {
    put(firewallXml(A));
    mkdirSync(temporaryFor(B));
    expect([await act(deed(A, B)), content()]).toEqual(['D_STEP_FAILED', firewallXml(A)]);
  });
});
