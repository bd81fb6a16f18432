import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wordsOfTestimony } from '../../domain/adoption/testimony.ts';
import { parsePayload } from '../../domain/command/parse.ts';
import { createLvmModel } from '../../infrastructure/drivers/lvm-model/model.ts';
import { archivedGroups, type Dirs, newTestimony, testimonyInLog } from '../../infrastructure/service/lvm-archive.ts';
import { causeOf, commandsOfOthers, toldBy } from '../../infrastructure/service/lvm-drift.ts';
import * as to from '../domain/commands.ts';
import { archivingHands } from '../lvm-history/kept-by-lvm.ts';
import { type LvmHost, lvmHost } from '../storage/lvm-host.ts';
import { session } from '../storage/suite.ts';

const VG = 'qubes_dom0';
const BOX = 'vm-box-private';

let host: LvmHost;
let dirs: Dirs;
let root: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'domtrail-archive-'));
  const machine = archivingHands(createLvmModel(), root);
  ({ dirs } = machine);
  host = await lvmHost(machine.hands);
});
afterEach(async () => {
  await host.cleanup();
  rmSync(root, { recursive: true });
});

const groups = async () => {
  const found = await archivedGroups(host.ledger(), host.host(), dirs);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
};

const adoptAll = async () => {
  for (const group of await groups()) {
    const told = newTestimony(host.host(), group, false);
    const payload = parsePayload('AdoptTestimony', { pool: group.pool.name, told });
    if (!payload.ok) throw new Error(payload.error.message);
    await host.does({ name: 'AdoptTestimony', payload: payload.value });
  }
};

const problems = async () => toldBy(await groups()).filter(({ problem }) => problem !== null);
const inLog = () => testimonyInLog(host.ledger(), host.host(), host.host().position).map(({ event }) => event);

const withBox = async (): Promise<void> => {
  await host.does(to.standaloneVm('box'), to.keep('box:root', -1));
  await session(host, 'box:private', 'one');
};

describe("LVM's archive", () => {
  test('what others did before the log comes in once, with what they made, renamed and removed', async () => {
    await host.byHand(`lvcreate -V 8388608b -T ${VG}/vm-pool -n vm-old-private`);
    await host.byHand(`lvrename ${VG}/vm-old-private ${VG}/vm-new-private`);
    await host.byHand(`lvremove -y ${VG}/vm-new-private`);
    await adoptAll();
    const id = inLog()[0]?.made[0]?.id;
    expect(id).toMatch(/^\w{6}-/);
    expect(inLog()).toMatchObject([
      { made: [{ id, name: `${VG}/vm-old-private` }], gone: [], renamed: [] },
      { renamed: [{ id, was: `${VG}/vm-old-private`, now: `${VG}/vm-new-private` }] },
      { gone: [{ id, name: `${VG}/vm-new-private` }], commandLine: `lvremove -y ${VG}/vm-new-private` },
    ]);
    expect(inLog().map(wordsOfTestimony)[2]).toMatch(
      /^LVM's archive says: \d{4}-.*Z removed qubes_dom0\/vm-new-private: lvremove -y /,
    );
    const again = (await groups()).flatMap((group) => newTestimony(host.host(), group, false));
    expect(again).toEqual([]);
  });

  test('our own commands are no testimony, and the archive agrees with the log', async () => {
    await withBox();
    expect(await problems()).toEqual([]);
    expect((await groups()).flatMap((group) => newTestimony(host.host(), group, false))).toEqual([]);
  });

  test('a foreign command is drift with its line and time, and explains the disk that it took away', async () => {
    await withBox();
    const byHand = `lvremove -y ${VG}/${BOX}`;
    await host.byHand(byHand);
    const [command] = commandsOfOthers(await groups(), {});
    expect(command).toMatchObject({
      kind: 'lvm',
      difference: 'command',
      name: expect.stringMatching(/^qubes_dom0@\d+$/),
      details: [`removed ${VG}/${BOX}`],
      by: { commandLine: byHand, time: expect.stringMatching(/Z$/) },
      adopt: 'domtrail adopt --lvm-archive',
    });
    const [gone] = await host.drift();
    if (!gone) throw new Error('nothing differs');
    expect(causeOf(gone, toldBy(await groups()))).toEqual(command?.by);
    await adoptAll();
    expect(commandsOfOthers(await groups(), {})).toEqual([]);
    expect(await problems()).toEqual([]);
    expect(causeOf(gone, toldBy(await groups()))).toEqual(command?.by);
  });

  test('a size that somebody changed is explained by the command that names the disk', async () => {
    await withBox();
    await host.byHand(`lvextend -L 4g ${VG}/${BOX}`);
    const [resized] = await host.drift();
    if (!resized) throw new Error('nothing differs');
    expect(causeOf(resized, toldBy(await groups()))?.commandLine).toBe(`lvextend -L 4g ${VG}/${BOX}`);
  });

  test('an entry of ours that is missing is told, and no foreign command is made of the gap', async () => {
    await withBox();
    const files = readdirSync(dirs.archive).sort();
    rmSync(join(dirs.archive, files[Math.floor(files.length / 2)] ?? ''));
    expect(new Set((await problems()).map(({ kind }) => kind))).not.toContain('foreign');
    expect((await problems()).map(({ kind }) => kind)).toContain('gap');
  });

  test('damaged files are named and skipped', async () => {
    await host.byHand(`lvcreate -V 8388608b -T ${VG}/vm-pool -n vm-old-private`);
    writeFileSync(join(dirs.archive, `${VG}_00099-1.vg`), 'contents = "Text Format');
    writeFileSync(join(dirs.archive, `${VG}_00098-1.vg`), Buffer.from([0, 255, 254, 10]));
    await adoptAll();
    expect(inLog()).toHaveLength(1);
    const [group] = await groups();
    expect(group?.archive.unreadable.map(({ file }) => file)).toEqual([
      join(dirs.archive, `${VG}_00098-1.vg`),
      join(dirs.archive, `${VG}_00099-1.vg`),
    ]);
  });
});
