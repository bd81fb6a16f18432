import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bringUp, does, keepsPromises, WORKER } from './check.ts';
import { makeHost } from './crash.ts';
import { LVM_START } from './image.ts';
import { startMachine } from './machine.ts';
import { ROOT } from './places.ts';
import { FIRST_WORLD } from './world.ts';

/** A disk image that a real crash left (spec: testbed §2), mended by the driver. Gives what it saw and did. */
export const mendFixture = async (name: string): Promise<readonly Record<string, unknown>[]> => {
  const dir = mkdtempSync(join(tmpdir(), 'domtrail-fixture-'));
  const image = join(dir, 'disk.img');
  execFileSync('zstd', ['-qd', join(ROOT, 'test', 'lab', 'fixtures', `${name}.img.zst`), '-o', image]);
  const machine = await startMachine(image);
  try {
    // Booting activates what it can see.
    await machine.run('lvm vgchange -q -ay qubes_dom0');
    const told = await does(machine, `node ${ROOT}/dist/lab/mend.cjs`);
    const probe = await machine.run(
      'lvm lvcreate -q -kn -ay -s qubes_dom0/vm-a-private -n probe && lvm lvremove -q -f qubes_dom0/probe',
    );
    const lines = told.trim().split('\n');
    return [...lines.map((line) => JSON.parse(line) as Record<string, unknown>), { probe: probe.code }];
  } finally {
    await machine.kill();
    rmSync(dir, { recursive: true, force: true });
  }
};

const HEADER = LVM_START + 4096;
const SECTOR = 512;

/** Loses all but the first sector of the newest text about the volume group, as a power cut that kept its header does. */
const tear = (image: string): void => {
  const fd = openSync(image, 'r+');
  const header = Buffer.alloc(SECTOR);
  readSync(fd, header, 0, SECTOR, HEADER);
  // mda_header: checksum, magic, version, start, size; then the first raw_locn: offset in the area, size (pvck(8)).
  const offset = Number(header.readBigUInt64LE(40));
  const size = Number(header.readBigUInt64LE(48));
  writeSync(fd, Buffer.alloc(size - SECTOR), 0, size - SECTOR, HEADER + offset + SECTOR);
  closeSync(fd);
};

type Told = { readonly code: number; readonly text: string };

/** A host whose volume group was torn: what recover says without and with --yes, then the promises. */
export const mendTornHost = async (): Promise<{ readonly asked: Told; readonly agreed: Told }> => {
  const dir = mkdtempSync(join(tmpdir(), 'domtrail-torn-'));
  const image = join(dir, 'host.img');
  await makeHost(image, 'lvm vgchange -q --addtag torn qubes_dom0');
  tear(image);
  const machine = await startMachine(image);
  const recover = async (words: string): Promise<Told> => {
    const ran = await machine.run(`node ${ROOT}/bin/domtrail.cjs recover ${words}`);
    return { code: ran.code, text: ran.out + ran.err };
  };
  try {
    await bringUp(machine);
    const asked = await recover('');
    const agreed = await recover('--yes');
    await machine.startWorker(WORKER);
    await keepsPromises(machine, [FIRST_WORLD], []);
    return { asked, agreed };
  } finally {
    await machine.kill();
    rmSync(dir, { recursive: true, force: true });
  }
};
