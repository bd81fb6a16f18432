import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { createLvmModel, type LvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { lvmThinDriver } from '../../../infrastructure/drivers/lvm-thin/driver.ts';
import type { Settings } from '../../../infrastructure/drivers/lvm-thin/work.ts';
import type { DriverBench } from '../bench.ts';
import { foreignHands, lvAt, must, POOL, vidFor } from '../lvm-model/model-bench.ts';
import { readFileAt, sourceIn } from '../source-file.ts';

/** `ran`: every command line, in order. */
export type LvmBench = DriverBench & {
  readonly model: LvmModel;
  readonly ran: string[][];
  readonly dir: string;
};

export type Given = { readonly model?: LvmModel; readonly settings?: Partial<Settings> };

/** A device of the model, read as the driver reads one of the machine. */
const imageOn =
  (model: LvmModel): NonNullable<Settings['image']> =>
  (path, bytes, ranges) => ({
    bytes,
    ranges,
    open: async () => ({
      async *read({ offset, length }) {
        yield Buffer.from(model.readAt(lvAt(model, path), offset, length), 'latin1');
      },
      close: async () => undefined,
    }),
  });

/** The `lvm_thin` driver with every program answered by the model, and real files outside the pool. */
export const lvmBench = async ({ model = createLvmModel(), settings = {} }: Given = {}): Promise<LvmBench> => {
  const dir = await mkdtemp(join(tmpdir(), 'domtrail-lvm-'));
  const ran: string[][] = [];
  const answer = runOnModel(model);
  const all: Settings = {
    run: (argv, options) => {
      ran.push([...argv]);
      return answer(argv, options);
    },
    uid: 0,
    stdin: 0,
    stdout: 1,
    patienceMs: 0,
    flush: async () => null,
    image: imageOn(model),
    ...settings,
  };
  const driver = lvmThinDriver({ volumeGroup: 'qubes_dom0', thinPool: 'vm-pool' }, all);
  let targets = 0;
  return {
    driver,
    model,
    ran,
    dir,
    pool: POOL,
    vidFor,
    writeAt: async (path, offset, text) => must(model.writeAt(lvAt(model, path), offset, text)),
    readAt: async (path, offset, length) =>
      path.startsWith('/dev/') ? model.readAt(lvAt(model, path), offset, length) : readFileAt(path, offset, length),
    sourceFile: (bytes, pieces) => sourceIn(dir, bytes, pieces),
    targetPath: () => join(dir, `target-${++targets}`),
    ...foreignHands(model, driver),
    cleanup: () => rm(dir, { recursive: true }),
  };
};

/** To be called at the top of a test file: gives the way to make benches, each of which is gone after its test. */
export const lvmBenches = (): ((given?: Given) => Promise<LvmBench>) => {
  const made: LvmBench[] = [];
  afterEach(async () => {
    for (const one of made.splice(0)) await one.cleanup();
  });
  return async (given) => {
    const one = await lvmBench(given);
    made.push(one);
    return one;
  };
};

/** The programs that ran, without their arguments: `lvcreate`, `dd`. */
export const programs = ({ ran }: LvmBench): readonly string[] =>
  ran.map((argv) => argv.filter((word) => word !== 'sudo' && word !== 'lvm')[0] ?? '');
