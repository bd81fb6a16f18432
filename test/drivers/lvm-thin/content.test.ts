import { chmod, open, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Role } from '../../../domain/disk.ts';
import type { BoundDeed, Sighting } from '../../../infrastructure/drivers/driver.port.ts';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { jobFor, made, must, placeIn, refusal, SMALL } from '../bench.ts';
import { type LvmBench, lvmBenches } from './lvm-bench.ts';

const CURRENT: Role = { kind: 'current' };
const IMPORT: Role = { kind: 'import' };

const bench = lvmBenches();

const ours = async (one: LvmBench, role: Role = CURRENT): Promise<Sighting> => made(one, placeIn(one, role));

describe('a long copy', () => {
  const reported = async (one: LvmBench, deed: BoundDeed) => {
    const told: [number, number][] = [];
    const acted = await one.driver.act(jobFor(deed), (...progress) => told.push(progress));
    expect(acted).toMatchObject({ failure: null, evidence: { stderr: '' } });
    return told;
  };
  const whole = [
    [0, SMALL],
    [SMALL / 2, SMALL],
    [SMALL, SMALL],
  ];

  test('into a disk tells how far it is, and keeps none of it in the record', async () => {
    const one = await bench();
    const { id } = await ours(one, IMPORT);
    const from = await one.sourceFile(SMALL, [{ offset: 0, text: 'data' }]);
    const told = await reported(one, { do: 'fill', disk: id, at: placeIn(one, IMPORT), from });
    expect(told).toEqual(whole);
  });

  test('out of a disk does the same', async () => {
    const one = await bench();
    const { id } = await ours(one);
    const to = { kind: 'file', path: join(one.dir, 'out') } as const;
    const told = await reported(one, { do: 'read', disk: id, at: placeIn(one, CURRENT), to });
    expect(told).toEqual(whole);
  });
});

describe('standard input and output', () => {
  const descriptor = async (one: LvmBench, name: string, content: string) => {
    const path = join(one.dir, name);
    await writeFile(path, content, 'latin1');
    return open(path, 'r+');
  };

  test.each([
    ['exactly as much as fits', SMALL, null],
    ['one byte more', SMALL + 1, 'D_TOO_MUCH_DATA'],
    ['less', 10, null],
  ] as const)('a fill with %s', async (_, bytes, code) => {
    const one = await bench();
    const handle = await descriptor(one, 'stdin', 'y'.repeat(bytes));
    const two = await bench({ model: one.model, settings: { stdin: handle.fd } });
    const { id } = await ours(two, IMPORT);
    const deed: BoundDeed = { do: 'fill', disk: id, at: placeIn(two, IMPORT), from: { kind: 'stdin', limit: SMALL } };
    expect(await refusal(two, deed)).toBe(code);
    expect(two.model.readAt('vm-work-private-import', 0, 20)).toBe('y'.repeat(Math.min(20, bytes)).padEnd(20, '\0'));
    await handle.close();
  });

  test('a disk read to standard output is whole', async () => {
    const one = await bench();
    const handle = await descriptor(one, 'stdout', '');
    const two = await bench({ model: one.model, settings: { stdout: handle.fd } });
    const { id } = await ours(two);
    two.model.writeAt('vm-work-private', SMALL - 3, 'end');
    await must(two, { do: 'read', disk: id, at: placeIn(two, CURRENT), to: { kind: 'stdout' } });
    await handle.close();
    const content = await readFile(join(one.dir, 'stdout'), 'latin1');
    expect(content === `${'\0'.repeat(SMALL - 3)}end`).toBe(true);
  });
});

describe('files read to', () => {
  test('a read that fails leaves the old file and no temporary', async () => {
    const one = await bench();
    const { id } = await ours(one);
    const path = join(one.dir, 'kept');
    await writeFile(path, 'old');
    const run = runOnModel(one.model);
    const failing = await bench({
      model: one.model,
      settings: {
        run: (argv, options) =>
          argv[0] === 'dd' ? run(['dd', 'if=/nowhere', 'of=/nowhere'], options) : run(argv, options),
      },
    });
    const deed: BoundDeed = { do: 'read', disk: id, at: placeIn(one, CURRENT), to: { kind: 'file', path } };
    expect(await refusal(failing, deed)).toBe('D_STEP_FAILED');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(one.dir)).toEqual(['kept']);
  });

  test('a symlink stays one and a directory is refused', async () => {
    const one = await bench();
    const { id } = await ours(one);
    const at = placeIn(one, CURRENT);
    await writeFile(join(one.dir, 'real'), 'old');
    await chmod(join(one.dir, 'real'), 0o600);
    await symlink('real', join(one.dir, 'link'));
    await must(one, { do: 'read', disk: id, at, to: { kind: 'file', path: join(one.dir, 'link') } });
    expect((await readFile(join(one.dir, 'real'))).length).toBe(SMALL);
    expect(
      (await readdir(one.dir, { withFileTypes: true })).find(({ name }) => name === 'link')?.isSymbolicLink(),
    ).toBe(true);
    expect(await refusal(one, { do: 'read', disk: id, at, to: { kind: 'file', path: one.dir } })).toBe('D_BAD_INPUT');
  });
});
