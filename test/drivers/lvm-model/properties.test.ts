import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DiskId, Place, Role } from '../../../domain/disk.ts';
import type { BoundDeed, Job, Sighting } from '../../../infrastructure/drivers/driver.port.ts';
import { KILL_POINTS, type KillPoint } from '../../../infrastructure/drivers/lvm-model/change.ts';
import { brokenInvariants } from '../../../infrastructure/drivers/lvm-model/invariants.ts';
import { createLvmModel, type LvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { surveyed } from '../bench.ts';
import { lvmBench } from '../lvm-thin/lvm-bench.ts';
import { modelBench, POOL, vidFor } from './model-bench.ts';

const EXTENT = 4 * 2 ** 20;
const name = fc.constantFrom('a', 'b', 'c', 'd');
const size = fc.integer({ min: 1, max: 3 * EXTENT });
const kill = fc.option(fc.constantFrom(...KILL_POINTS), { freq: 4, nil: null });

type Change = (model: LvmModel) => unknown;

const written = (model: LvmModel, one: string, chunk: number): void => {
  const lv = model.find(one);
  if (lv?.active && (chunk + 1) * 65_536 <= lv.extents * EXTENT) model.writeAt(one, chunk * 65_536, `chunk ${chunk}`);
};

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(name, size).map(
    ([one, bytes]): Change =>
      (model) =>
        model.create(one, bytes),
  ),
  fc.tuple(name, name).map(
    ([from, to]): Change =>
      (model) =>
        model.snapshot(from, to),
  ),
  fc.tuple(name, name).map(
    ([from, to]): Change =>
      (model) =>
        model.rename(from, to),
  ),
  name.map(
    (one): Change =>
      (model) =>
        model.remove(one),
  ),
  fc.tuple(name, size).map(
    ([one, bytes]): Change =>
      (model) =>
        model.resize(one, bytes, { shrink: true }),
  ),
  name.map(
    (one): Change =>
      (model) =>
        model.deactivate(one),
  ),
  name.map(
    (one): Change =>
      (model) =>
        model.activate(one),
  ),
  fc.tuple(name, fc.nat(100)).map(
    ([one, chunk]): Change =>
      (model) =>
        written(model, one, chunk),
  ),
  fc.boolean().map(
    (autoactivate): Change =>
      (model) =>
        model.reboot({ autoactivate }),
  ),
  fc.constant<Change>((model) => model.find('a')?.active && model.open('a')),
);

describe('whatever is done to a model, killed or not', () => {
  test('its invariants hold after every change, and no UUID comes twice', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(change, kill), { maxLength: 40 }), (changes) => {
        const model = createLvmModel({ poolBytes: 2 * EXTENT });
        const nameOfUuid = new Map<string, number>();
        for (const [act, point] of changes) {
          if (point) model.killAt(point);
          act(model);
          model.disarm();
          expect(brokenInvariants(model.state())).toEqual([]);
          for (const { uuid, time } of model.state().lvs.values()) {
            expect(nameOfUuid.get(uuid) ?? time).toBe(time);
            nameOfUuid.set(uuid, time);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a wedged pool apart, the next change always settles what waits', () => {
    const points = KILL_POINTS.filter((point) => point !== 'wedged');
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), change, fc.constantFrom(...points), (before, last, point) => {
        const model = createLvmModel();
        for (const act of before) act(model);
        model.killAt(point);
        last(model);
        model.disarm();
        model.create('z', 1);
        const { pool, kernel } = model.state();
        expect([pool.messages, kernel.transactionId]).toEqual([[], pool.transactionId]);
      }),
      { numRuns: 200 },
    );
  });
});

const ROLES: readonly Role[] = [
  { kind: 'current' },
  { kind: 'session' },
  { kind: 'import' },
  { kind: 'trash', position: 7 },
  { kind: 'revision', number: 1, at: 17 },
];

const place: fc.Arbitrary<Place> = fc
  .tuple(fc.constantFrom('w', 'w-private'), fc.constantFrom('private', 'root'), fc.constantFrom(...ROLES))
  .map(([vm, volume, role]) => ({ pool: POOL, vid: vidFor(vm, volume), role }));

/** A deed about whatever disk lies at a place; `null` when none does. */
type Wish = (idAt: (at: Place) => DiskId | null) => BoundDeed | null;

const about = (at: fc.Arbitrary<Place>, deed: (disk: DiskId, at: Place) => BoundDeed): fc.Arbitrary<Wish> =>
  at.map((one) => (idAt) => {
    const disk = idAt(one);
    return disk ? deed(disk, one) : null;
  });

const bytes = fc.constantFrom(EXTENT, 2 * EXTENT, 3 * EXTENT);
const wish: fc.Arbitrary<Wish> = fc.oneof(
  fc.tuple(place, bytes).map(
    ([at, many]): Wish =>
      () => ({ do: 'create', at, bytes: many }),
  ),
  place.chain((at) => about(place, (of, from) => ({ do: 'snapshot', of, from, at }))),
  place.chain((to) => about(place, (disk, from) => ({ do: 'move', disk, from, to }))),
  bytes.chain((many) => about(place, (disk, at) => ({ do: 'resize', disk, at, bytes: many, shrink: false }))),
  bytes.chain((many) => about(place, (disk, at) => ({ do: 'resize', disk, at, bytes: many, shrink: true }))),
  about(place, (disk, at) => ({ do: 'activate', disk, at })),
  about(place, (disk, at) => ({ do: 'erase', disk, at })),
);

const point: fc.Arbitrary<KillPoint | null> = fc.option(
  fc.constantFrom<KillPoint>('before', 'between', 'wedged', 'after'),
  { freq: 4, nil: null },
);

describe('the driver on the model and lvm_thin over the recorded behaviour', () => {
  test('see the same after the same deeds, killed at the same points', async () => {
    const script = fc.array(fc.tuple(wish, point, fc.boolean()), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        const twin = modelBench({ whenKilled: 'fail' });
        const real = await lvmBench();
        const both = [twin, real];
        try {
          for (const [index, [wanted, killed, reboot]] of steps.entries()) {
            const seen = await surveyed(twin);
            const idAt = (at: Place) => seen.find((one) => one.name === twin.driver.nameOf(at))?.id ?? null;
            const deed = wanted(idAt);
            if (!deed) continue;
            const job: Job = { command: 'c', step: index, deed };
            const codes: unknown[] = [];
            for (const { driver, model } of both) {
              if (killed) model.killAt(killed);
              codes.push((await driver.act(job)).failure?.code);
              model.disarm();
              if (reboot) model.reboot();
            }
            expect(codes[1]).toBe(codes[0]);
            const [mine, theirs] = [await surveyed(twin), await surveyed(real)];
            const order = (all: readonly Sighting[]) =>
              [...all].sort((a, b) => (a.id < b.id ? -1 : 1)).map((one) => ({ ...one, usedBytes: null }));
            expect(order(theirs)).toEqual(order(mine));
          }
        } finally {
          await real.cleanup();
        }
      }),
      { numRuns: 120 },
    );
  });
});
