import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type KeptVolumes, keptText } from '../lvm-history/kept-by-lvm.ts';
import { happened, inLvm, knowsVms } from './known-vms.ts';
import { emptyHome, expectRefusal, type Terminal } from './terminal.ts';

const VG = 'qubes_dom0';
const T = 1_750_000_000;
const [OLD, LOST] = ['AAAAAA-0001-0000-0000-0000-0000-000001', 'AAAAAA-0002-0000-0000-0000-0000-000002'];

let terminal: Terminal;
let dirs: readonly string[];

type Command = { readonly line: string; readonly before: KeptVolumes };

/** LVM's two directories, with a file before each command and one after the last. */
const kept = (commands: readonly Command[], after: KeptVolumes): readonly string[] => {
  const [archive, backup] = [join(terminal.home, 'archive'), join(terminal.home, 'backup')];
  mkdirSync(archive);
  mkdirSync(backup);
  commands.forEach(({ line, before }, index) => {
    const description = `Created *before* executing '${line}'`;
    const text = keptText({ group: VG, seqno: index + 5, time: T + index, description, volumes: before });
    writeFileSync(join(archive, `${VG}_0000${index}-7.vg`), text);
  });
  const last = commands.at(-1)?.line ?? '';
  const description = `Created *after* executing '${last}'`;
  const seqno = commands.length + 5;
  writeFileSync(join(backup, VG), keptText({ group: VG, seqno, time: T + 99, description, volumes: after }));
  return ['--archive', archive, '--backup', backup];
};

const MAKE = `lvcreate -V 2G -T ${VG}/vm-pool -n vm-work-private`;
const DROP = `lvremove -y ${VG}/vm-gone-private`;

beforeAll(async () => {
  terminal = await emptyHome();
  await terminal.does('init');
  const pool = { driver: 'lvm_thin', name: 'lvm', volumeGroup: VG, thinPool: 'vm-pool', revisionsToKeep: 1 };
  happened(terminal, { type: 'PoolAdded', pool: 'lvm', definition: { ...pool, ephemeralVolatile: false } as never });
  knowsVms(terminal, inLvm, { name: 'work', template: null });
  dirs = kept(
    [
      { line: MAKE, before: { 'vm-gone-private': LOST } },
      { line: DROP, before: { 'vm-gone-private': LOST, 'vm-work-private': OLD } },
    ],
    { 'vm-work-private': OLD },
  );
});

describe("LVM's archive on the command line", () => {
  test('adopt --lvm-archive says what it would take, takes it once, and names damaged files', async () => {
    const plan = await terminal.run(['adopt', '--lvm-archive', ...dirs, '--plan']);
    expect({ code: plan.code, out: plan.out }).toEqual({ code: 2, out: expect.stringContaining(MAKE) });
    writeFileSync(join(terminal.home, 'archive', `${VG}_00009-7.vg`), '{');
    const ended = await terminal.run(['adopt', '--lvm-archive', ...dirs]);
    expect(ended.err).toMatch(/^warning: .*_00009-7\.vg was skipped: /);
    expect(ended.out).toContain('2 commands of LVM');
    expect((await terminal.run(['adopt', '--lvm-archive', ...dirs])).out).toBe('nothing new in the archive of LVM\n');
  });

  test('log, blame, why and lineage show it as what LVM says, and never as ours', async () => {
    const says = `LVM's archive says: 2025-06-15T15:06:41Z removed ${VG}/vm-gone-private: ${DROP}`;
    expect(await terminal.does('log', '--type', 'LvmTestified')).toContain(says);
    expect(await terminal.does('log', `${VG}/vm-gone-private`)).toContain(says);
    expect(await terminal.does('blame', `${VG}/vm-gone-private`)).toContain(says);
    expect(await terminal.does('why', `${VG}/vm-gone-private`)).toContain(says);
    const made = `made ${VG}/vm-work-private: ${MAKE}`;
    expect(await terminal.does('lineage', 'work:private')).toContain(made);
    expect(await terminal.does('log', 'work:private')).toContain(made);
    expect((await terminal.item<{ testimony: readonly object[] }>('lineage', 'work:private')).testimony).toMatchObject([
      { time: T, seqno: 5, made: [{ id: OLD, name: `${VG}/vm-work-private` }] },
    ]);
    expectRefusal(await terminal.run(['blame', `${VG}/vm-never-private`]), 'D_NOT_FOUND');
    for (const command of ['verify', 'replay']) await terminal.does(command);
  });

  test('witness calls it testified; what is not in the log yet is foreign, and drift lists it with its line', async () => {
    rmSync(join(terminal.home, 'archive', `${VG}_00009-7.vg`));
    const all = await terminal.items<{ kind: string; position: number | null }>('witness', '--all', ...dirs);
    expect(all).toMatchObject([
      { kind: 'testified', position: expect.any(Number) },
      { kind: 'testified', position: expect.any(Number) },
    ]);
    const line = `lvremove -y ${VG}/vm-work-private`;
    const time = Math.ceil(Date.now() / 1000) + 5;
    const description = `Created *before* executing '${line}'`;
    const text = keptText({ group: VG, seqno: 7, time, description, volumes: { 'vm-work-private': OLD } });
    writeFileSync(join(terminal.home, 'archive', `${VG}_00002-7.vg`), text);
    const witness = await terminal.run(['witness', ...dirs]);
    expect({ code: witness.code, out: witness.out }).toEqual({ code: 2, out: expect.stringContaining(line) });
    const drift = await terminal.run(['drift', `${VG}@7`, ...dirs, '--json']);
    const { items } = JSON.parse(drift.out) as { items: readonly { adopt: string }[] };
    expect(items).toMatchObject([{ kind: 'lvm', by: { commandLine: line }, repair: null }]);
    await terminal.does(...(items[0]?.adopt ?? '').split(' ').slice(1));
    expect((await terminal.run(['drift', ...dirs, '--json'])).out).not.toContain('"kind":"lvm"');
  });
});
