import { describe, expect, test } from 'vitest';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { createLvmModel, type LvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import type { Run, Settings } from '../../../infrastructure/drivers/lvm-thin/work.ts';
import { LARGE, made, mustSee, placeIn, write } from '../bench.ts';
import { type LvmBench, lvmBench } from './lvm-bench.ts';

const BLOCK = 65_536;

const isHeld = (model: LvmModel): boolean => model.state().kernel.held !== null;

/** The ranges of a disk with one block of data. */
const rangesOf = async (bench: LvmBench) => {
  const at = placeIn(bench, { kind: 'incoming', position: 3 });
  await made(bench, at, LARGE);
  await write(bench, at, 3 * BLOCK, 'data');
  const image = await bench.driver.image?.(at, (await mustSee(bench, at)).id);
  if (!image) throw new Error('this driver reads no images');
  return image;
};

/** The model, except for the programs whose command line has that word. */
const unless = (model: LvmModel, word: string, instead: { exitCode: number; stdout: string }): Partial<Settings> => {
  const answer = runOnModel(model);
  const run: Run = async (argv, options) => {
    if (!argv.includes(word)) return answer(argv, options);
    return {
      evidence: { argv: [[...argv]], exitCode: instead.exitCode, stderr: '', durationMs: 0 },
      stdout: instead.stdout,
    };
  };
  return { run };
};

describe('the map of a thin volume', () => {
  test('comes from the metadata of its pool, of which nothing is held afterwards', async () => {
    const bench = await lvmBench();
    expect(await rangesOf(bench)).toMatchObject({
      ok: true,
      value: { ranges: [{ offset: 3 * BLOCK, length: BLOCK }] },
    });
    expect(isHeld(bench.model)).toBe(false);
    await bench.cleanup();
  });

  test('is not asked for while somebody else holds the metadata, who keeps it', async () => {
    const bench = await lvmBench();
    bench.model.holdMetadata(true);
    expect(await rangesOf(bench)).toMatchObject({ ok: true, value: { ranges: null } });
    expect(isHeld(bench.model)).toBe(true);
    await bench.cleanup();
  });

  test.each([
    ['thin_dump is missing', 'thin_dump', { exitCode: 127, stdout: '' }],
    ['thin_dump says something else', 'thin_dump', { exitCode: 0, stdout: '<superblock>\n</superblock>\n' }],
    ['the volume has an origin outside of the pool', 'table', { exitCode: 0, stdout: '0 16384 thin 253:2 1 253:9\n' }],
    ['its device has another size', 'table', { exitCode: 0, stdout: '0 8192 thin 253:2 1\n' }],
  ])('is none where %s: then all of it is read', async (_why, word, instead) => {
    const model = createLvmModel();
    const bench = await lvmBench({ model, settings: unless(model, word, instead) });
    expect(await rangesOf(bench)).toMatchObject({ ok: true, value: { ranges: null } });
    expect(isHeld(model)).toBe(false);
    await bench.cleanup();
  });

  test('that cannot be given back is an error which says how to', async () => {
    const model = createLvmModel();
    const bench = await lvmBench({
      model,
      settings: unless(model, 'release_metadata_snap', { exitCode: 1, stdout: '' }),
    });
    expect(await rangesOf(bench)).toMatchObject({
      ok: false,
      error: { code: 'D_STEP_FAILED', next: 'dmsetup message qubes_dom0-vm--pool-tpool 0 release_metadata_snap' },
    });
    await bench.cleanup();
  });
});

describe('after a crash while the metadata was held', () => {
  test('it is given back', async () => {
    const bench = await lvmBench();
    bench.model.holdMetadata(true);
    await bench.driver.releaseImages?.();
    expect(isHeld(bench.model)).toBe(false);
    await bench.driver.releaseImages?.();
    expect(isHeld(bench.model)).toBe(false);
    await bench.cleanup();
  });

  test('it stays where somebody reads it', async () => {
    const model = createLvmModel();
    const read = unless(model, 'info', { exitCode: 0, stdout: 'LVM-x-tmeta 2\n' });
    const bench = await lvmBench({ model, settings: read });
    model.holdMetadata(true);
    await bench.driver.releaseImages?.();
    expect(isHeld(model)).toBe(true);
    await bench.cleanup();
  });
});
