import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../../infrastructure/process/run.ts';
import { inLvm, type KnownVm, knowsVms } from '../../cli/known-vms.ts';
import { emptyHome, readAt, type Terminal, writeAt } from '../../cli/terminal.ts';
import { labPool, removeAll, volumes } from './real-bench.ts';

const PATIENCE = 1_500_000;
const GROUP = 'qubes_dom0';
const LENGTH = 8;

const lvm = async (...words: readonly string[]): Promise<string> => {
  const { evidence, stdout } = await run(['lvm', ...words]);
  if (evidence.exitCode !== 0) throw new Error(`${words.join(' ')}: ${evidence.stderr}`);
  return stdout;
};

const dev = (name: string): string => `/dev/${GROUP}/${name}`;

/** An LV as stock makes it: created empty, or as a snapshot, then written to. */
const lv = async (
  name: string,
  text: string | null,
  { from, bytes = 2 ** 24 }: { from?: string; bytes?: number } = {},
) => {
  if (from === undefined)
    await lvm('lvcreate', '--thin', '-kn', '-ay', '-V', `${bytes}B`, '-n', name, `${GROUP}/vm-pool`);
  else await lvm('lvcreate', '-kn', '-ay', '-s', `${GROUP}/${from}`, '-n', name);
  if (text !== null) writeAt(dev(name), text);
};

const discard = async (name: string): Promise<void> => {
  const { evidence } = await run(['blkdiscard', '-f', dev(name)]);
  if (evidence.exitCode !== 0) throw new Error(`blkdiscard: ${evidence.stderr}`);
};

const attrOf = async (name: string): Promise<string> =>
  (await lvm('lvs', '--noheadings', '-o', 'lv_attr', `${GROUP}/${name}`)).trim();

const uuidOf = async (name: string): Promise<string> =>
  (await lvm('lvs', '--noheadings', '-o', 'lv_uuid', `${GROUP}/${name}`)).trim();

const homeKnowing = async (...vms: readonly KnownVm[]): Promise<Terminal> => {
  const terminal = await emptyHome();
  await terminal.does('init', '--pool', `${GROUP}/vm-pool`);
  knowsVms(terminal, inLvm, { name: 'debian', template: null }, ...vms);
  await lv('vm-debian-root', 'template');
  await lv('vm-debian-private', 'T-priv');
  return terminal;
};

const appVm = (name: string): KnownVm => ({ name, template: 'debian' });

const contents = async (terminal: Terminal, vm: string) => {
  const { state, revisions, committedPath } = await terminal.info(`${vm}:private`);
  const read = (path: string) => readAt(path, LENGTH).replace(/\.+$/, '');
  return {
    state,
    current: committedPath === null ? null : read(committedPath),
    revisions: revisions.map(({ id }) => read(dev(`vm-${vm}-private-${id}`))),
  };
};

describe('adopt --storage on a real thin pool that stock left', () => {
  beforeEach(async () => {
    await labPool();
  });
  afterEach(removeAll);

  test('inactive and skip-flagged LVs of a VM that died running; then it starts, stops and reverts', {
    timeout: PATIENCE,
  }, async () => {
    const terminal = await homeKnowing(appVm('work'));
    await lv('vm-work-private-1000-back', 'D0');
    await lv('vm-work-private', 'D1', { from: 'vm-work-private-1000-back' });
    await lv('vm-work-private-snap', 'D2', { from: 'vm-work-private' });
    await lv('vm-work-root-snap', 'old', { from: 'vm-debian-root' });
    await lv('vm-work-volatile', 'swap');
    await lv('vm-work-private-import', 'half');
    await lv('by-hand', 'mine');
    await lvm('lvchange', '-ky', `${GROUP}/vm-work-private`, `${GROUP}/vm-work-private-1000-back`);
    await lvm('lvchange', '-an', ...['', '-1000-back', '-snap'].map((end) => `${GROUP}/vm-work-private${end}`));
    expect(await attrOf('vm-work-private')).toMatch(/^Vwi---t.-k$/);
    const uuid = await uuidOf('vm-work-private');
    const said = await terminal.does('adopt', '--storage');
    expect(said).toMatch(/left alone: qubes_dom0\/by-hand/);
    expect(await attrOf('vm-work-private')).toMatch(/^Vwi-a-t.--$/);
    expect(await attrOf('vm-work-private-snap')).toMatch(/^Vwi-a-t.--$/);
    expect(await uuidOf('vm-work-private')).toBe(uuid);
    expect(await terminal.info('work:private')).toMatchObject({ state: 'dirty', revisions: [{ id: '1000-back' }] });
    await terminal.isSound();
    await terminal.does('volume', 'discard', 'work:private');
    await terminal.does('volume', 'revert', 'work:private', '1000-back');
    expect((await contents(terminal, 'work')).current).toBe('D0');
    await terminal.does('vm', 'start', 'work');
    expect(readAt((await terminal.info('work:root')).runtimePath ?? '', LENGTH)).toBe('template');
    await terminal.vmWrites('work:private', 'D3');
    await terminal.does('vm', 'stop', 'work');
    expect((await contents(terminal, 'work')).current).toBe('D3');
    await terminal.does('gc', '--yes');
    expect((await volumes()).filter((name) => /trash|import|volatile|root-snap/.test(name))).toEqual([]);
    expect(await volumes()).toContain(`${GROUP}/by-hand`);
    await terminal.isSound();
  });

  test('commits that died between their renames, names that extend each other, and LVs that hold nothing', {
    timeout: PATIENCE,
  }, async () => {
    const terminal = await homeKnowing(appVm('w'), appVm('w-private'), appVm('old'), appVm('zero'));
    // Between the renames, the clock set back: the origin tells which revision is the newest.
    await lv('vm-w-private-2000-back', 'D0');
    await lv('vm-w-private-1000-back', 'D1', { from: 'vm-w-private-2000-back' });
    await lv('vm-w-private-snap', 'D2', { from: 'vm-w-private-1000-back' });
    await lv('vm-w-private-private', 'other');
    await lv('vm-w-private-private-1000-back', 'other-0');
    await lv('vm-old-private-back', 'O0');
    await lv('vm-old-private-tmp', 'O1');
    // 4 KiB of 2 GiB are 0.0002 %: LVM must not call that 0.00, or a revision would be taken for an empty one.
    await lv('vm-zero-private-1000-back', 'tiny', { bytes: 2 ** 31 });
    await lv('vm-zero-private-2000-back', 'gone', { bytes: 2 ** 31 });
    await discard('vm-zero-private-2000-back');
    await lv('vm-zero-private', 'Z1', { bytes: 2 ** 31 });
    await terminal.does('adopt', '--storage');
    expect(await contents(terminal, 'w')).toEqual({ state: 'clean', current: 'D2', revisions: ['D0', 'D1'] });
    expect(await contents(terminal, 'w-private')).toEqual({ state: 'clean', current: 'other', revisions: ['other-0'] });
    expect(await contents(terminal, 'old')).toEqual({ state: 'clean', current: 'O1', revisions: ['O0'] });
    expect(await contents(terminal, 'zero')).toEqual({ state: 'clean', current: 'Z1', revisions: ['tiny'] });
    expect((await volumes()).filter((name) => name.endsWith('-trash-back'))).toHaveLength(1);
    expect((await volumes()).some((name) => name.endsWith('/vm-old-private-1-back'))).toBe(true);
    await terminal.isSound();
  });

  test('what died between LVM commands of an adoption is finished by recover', { timeout: PATIENCE }, async () => {
    const terminal = await homeKnowing(appVm('work'));
    await lv('vm-work-private-1000-back', 'D1');
    await lv('vm-work-private-snap', 'D2', { from: 'vm-work-private-1000-back' });
    await lv('vm-work-volatile', 'swap');
    const ended = await terminal.run(['adopt', '--storage'], { env: { DOMTRAIL_FAULT: 'kill@after-step:1' } });
    expect(ended.signal).toBe('SIGKILL');
    expect(await terminal.does('recover')).toMatch(/AdoptStorage .* completed/);
    expect(await contents(terminal, 'work')).toEqual({ state: 'clean', current: 'D2', revisions: ['D1'] });
    await terminal.isSound();
  });
});
