import { link, mkdir, readdir, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Place } from '../../../domain/disk.ts';
import type { Job } from '../../../infrastructure/drivers/driver.port.ts';
import { fileAt } from '../../../infrastructure/drivers/file-reflink/identity.ts';
import { removeMarker, writeMarker } from '../../../infrastructure/drivers/file-reflink/markers.ts';
import { carryOut, LARGE, made, mustSee, placeIn, read, SMALL, seenAt, surveyed, write } from '../bench.ts';
import { type FileBench, fileBench } from './file-bench.ts';

let bench: FileBench;
let at: Place;
beforeEach(async () => {
  bench = await fileBench();
  at = placeIn(bench, { kind: 'current' });
});
afterEach(() => bench.cleanup());

const hidden = async (): Promise<readonly string[]> => (await readdir(join(bench.dir, '.domtrail'))).sort();
const hiddenPath = (file: string): string => join(bench.dir, '.domtrail', file);
const inHidden = async (file: string, content = ''): Promise<void> =>
  writeFile(hiddenPath(file), content, { mode: 0o600 });

const create = (): Job => ({ command: 'c1', step: 2, deed: { do: 'create', at, bytes: SMALL } });
const OURS = { command: 'c1', step: 2 };

/** What a kill during `create` can leave, in the order in which it happens; a snapshot is built the same way. */
const MAKING: readonly { readonly died: string; readonly leave: () => Promise<void> }[] = [
  { died: 'before anything was done', leave: async () => undefined },
  { died: 'with an empty temporary', leave: () => inHidden('c1.2.4242.tmp') },
  {
    died: 'with a complete temporary',
    leave: async () => {
      await inHidden('c1.2.4242.tmp', 'half a copy');
      await truncate(hiddenPath('c1.2.4242.tmp'), SMALL);
    },
  },
  {
    died: 'with a half-written marker',
    leave: async () => {
      await inHidden('c1.2.4242.tmp');
      await inHidden('c1.2.4242.json.tmp', '{"what":"ma');
    },
  },
  {
    died: 'with the marker of a disk that never got its name',
    leave: async () => {
      await inHidden('c1.2.4242.tmp', 'a complete copy');
      const file = await fileAt(hiddenPath('c1.2.4242.tmp'));
      if (!file) throw new Error('the temporary is gone');
      await writeMarker(bench.dir, OURS, { what: 'made', id: file.id, name: bench.driver.nameOf(at) });
    },
  },
  {
    died: 'after making the directory of the VM',
    leave: async () => {
      await inHidden('c1.2.4242.tmp');
      await mkdir(join(bench.dir, 'appvms', 'work'));
    },
  },
];

describe('killed while a disk is made', () => {
  for (const { died, leave } of MAKING) {
    test(`${died}: nothing is seen, and doing it again makes exactly one disk`, async () => {
      await leave();
      expect(await surveyed(bench)).toEqual([]);
      await carryOut(bench, create());
      expect(await hidden()).toEqual(['c1.2.json']);
      expect(await surveyed(bench)).toMatchObject([{ name: bench.driver.nameOf(at), bytes: SMALL, madeBy: OURS }]);
      expect(await read(bench, at, 0, SMALL)).toBe('\0'.repeat(SMALL));
      await bench.driver.settle('c1');
      expect(await hidden()).toEqual([]);
    });

    test(`${died}: a command that is given up leaves nothing`, async () => {
      await leave();
      await bench.driver.settle('c1');
      expect(await hidden()).toEqual([]);
      expect(await surveyed(bench)).toEqual([]);
    });
  }

  test("after the rename: the disk is known to be this step's, and doing it again keeps it", async () => {
    await carryOut(bench, create());
    const before = await mustSee(bench, at);
    expect(before.madeBy).toEqual(OURS);
    await write(bench, at, 0, 'used by now');
    await carryOut(bench, create());
    expect(await mustSee(bench, at)).toMatchObject({ id: before.id, madeBy: OURS });
    expect(await read(bench, at, 0, 11)).toBe('used by now');
  });

  test('the marker of a step never makes another file its own', async () => {
    await carryOut(bench, create());
    const { name } = await mustSee(bench, at);
    await bench.foreignRemove?.(name);
    await bench.foreignCreate?.(at, SMALL);
    expect((await mustSee(bench, at)).madeBy).toBeNull();
    const again = await bench.driver.act(create());
    expect(again.failure?.code).toBe('D_EXISTS');
  });

  test('temporaries and markers of other commands stay', async () => {
    await inHidden('c1.7.2.4242.tmp');
    await inHidden('c12.2.4242.tmp');
    await inHidden('c1.3.4242.tmp');
    await carryOut(bench, create());
    expect(await hidden()).toEqual(['c1.2.json', 'c1.3.4242.tmp', 'c1.7.2.4242.tmp', 'c12.2.4242.tmp']);
    await bench.driver.settle('c1');
    expect(await hidden()).toEqual(['c1.7.2.4242.tmp', 'c12.2.4242.tmp']);
  });
});

describe('killed during other deeds', () => {
  test('a move that happened is found, and doing it again changes nothing', async () => {
    const { id } = await made(bench, at);
    const to = placeIn(bench, { kind: 'trash', position: 5 });
    await rename(bench.driver.pathOf(at), bench.driver.pathOf(to));
    await carryOut(bench, { command: 'c2', step: 1, deed: { do: 'move', disk: id, from: at, to } });
    expect(await mustSee(bench, to)).toMatchObject({ id });
    expect(await seenAt(bench, at)).toBeUndefined();
  });

  test('an erase that happened is finished quietly, and so is the empty directory it left', async () => {
    const { id } = await made(bench, at);
    await bench.foreignRemove?.(bench.driver.nameOf(at));
    await carryOut(bench, { command: 'c2', step: 1, deed: { do: 'erase', disk: id, at } });
    expect(await readdir(join(bench.dir, 'appvms'))).toEqual([]);
  });

  for (const length of [0, SMALL - 1000]) {
    test(`a fill that died when the file had ${length} bytes: its size is remembered, its content made again`, async () => {
      const { id } = await made(bench, at, LARGE);
      const from = await bench.sourceFile(SMALL, [{ offset: 5, text: 'new' }]);
      const fill: Job = { command: 'c3', step: 4, deed: { do: 'fill', disk: id, at, from } };
      await writeMarker(bench.dir, fill, { what: 'fill', id, bytes: LARGE });
      await write(bench, at, 100, 'old');
      await truncate(bench.driver.pathOf(at), length);
      expect(await mustSee(bench, at)).toMatchObject({ id, bytes: LARGE });
      await carryOut(bench, fill);
      expect(await mustSee(bench, at)).toMatchObject({ id, bytes: LARGE });
      const expected = `${'\0'.repeat(5)}new${'\0'.repeat(LARGE - 8)}`;
      expect((await read(bench, at, 0, LARGE + 1)) === expected).toBe(true);
      expect(await hidden()).not.toContain('c3.4.json');
    });
  }

  test('after a fill the marker no longer speaks for the size', async () => {
    const { id } = await made(bench, at);
    const from = await bench.sourceFile(SMALL, []);
    await carryOut(bench, { command: 'c3', step: 4, deed: { do: 'fill', disk: id, at, from } });
    await carryOut(bench, {
      command: 'c3',
      step: 5,
      deed: { do: 'resize', disk: id, at, bytes: LARGE, shrink: false },
    });
    expect((await mustSee(bench, at)).bytes).toBe(LARGE);
    await removeMarker(bench.dir, { command: 'c3', step: 4 });
  });

  test('a read that died leaves its half outside the pool, which the next attempt or settle removes', async () => {
    const { id } = await made(bench, at);
    const path = bench.targetPath();
    const half = join(bench.outside, '.target-1.domtrail-c4.tmp');
    for (const end of ['again', 'given up'] as const) {
      await writeFile(half, 'half');
      await writeMarker(bench.dir, { command: 'c4', step: 1 }, { what: 'read', path: half });
      const job: Job = { command: 'c4', step: 1, deed: { do: 'read', disk: id, at, to: { kind: 'file', path } } };
      await (end === 'again' ? carryOut(bench, job) : bench.driver.settle('c4'));
      expect(await readdir(bench.outside)).toEqual(['target-1']);
    }
  });

  test('settle removes no file outside the pool that its own name does not mark as a temporary', async () => {
    const precious = join(bench.outside, 'precious');
    await writeFile(precious, 'precious');
    await writeMarker(bench.dir, { command: 'c4', step: 1 }, { what: 'read', path: precious });
    await bench.driver.settle('c4');
    expect(await readdir(bench.outside)).toEqual(['precious']);
  });

  test('a second name for a disk, as a hard link gives, does not let a step take another disk for it', async () => {
    const { id } = await made(bench, at);
    const other = await made(bench, placeIn(bench, { kind: 'session' }));
    await link(bench.driver.pathOf(at), hiddenPath('appvms+work+private-3-trash-back'));
    const trash = placeIn(bench, { kind: 'trash', position: 3 });
    const acted = await bench.driver.act({ command: 'c5', step: 1, deed: { do: 'erase', disk: other.id, at: trash } });
    expect(acted.failure?.code).toBe('D_DRIFT');
    expect((await surveyed(bench)).filter((one) => one.id === id)).toHaveLength(2);
  });
});
