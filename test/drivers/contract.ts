import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Place, Role } from '../../domain/disk.ts';
import type { BoundDeed, Job, Sighting } from '../../infrastructure/drivers/driver.port.ts';
import {
  all,
  carryOut,
  type DriverBench,
  idAt,
  jobFor,
  LARGE,
  made,
  must,
  mustSee,
  placeIn,
  read,
  refusal,
  SMALL,
  seenAt,
  surveyed,
  write,
} from './bench.ts';
import { imageContract } from './image-contract.ts';

type BenchOf = () => DriverBench;

const ZERO = '\0';

const CURRENT: Role = { kind: 'current' };
const SESSION: Role = { kind: 'session' };
const REVISION: Role = { kind: 'revision', number: 1, at: 1_700_000_000 };
const TRASH: Role = { kind: 'trash', position: 7 };
const IMPORT: Role = { kind: 'import' };

const making = (bench: BenchOf): void => {
  test('a created disk has the size asked for and is all zeros', async () => {
    const place = placeIn(bench(), CURRENT);
    const disk = await made(bench(), place, LARGE);
    expect(disk.bytes).toBe(LARGE);
    expect(disk.usable).toBe(true);
    expect(await all(bench(), place, LARGE + 1)).toBe(ZERO.repeat(LARGE));
  });

  test('a disk is not created over another one', async () => {
    const place = placeIn(bench(), CURRENT);
    const { id } = await made(bench(), place);
    await write(bench(), place, 100, 'precious');
    expect(await refusal(bench(), { do: 'create', at: place, bytes: LARGE })).not.toBeNull();
    expect(await mustSee(bench(), place)).toMatchObject({ id, bytes: SMALL });
    expect(await read(bench(), place, 100, 8)).toBe('precious');
  });

  test('two disks never share an id', async () => {
    const one = await made(bench(), placeIn(bench(), CURRENT));
    const other = await made(bench(), placeIn(bench(), CURRENT, 'root'));
    expect(one.id).not.toBe(other.id);
  });

  test('a snapshot is another disk with the content of its moment', async () => {
    const from = placeIn(bench(), CURRENT);
    const at = placeIn(bench(), SESSION);
    const { id } = await made(bench(), from);
    await write(bench(), from, SMALL - 6, 'before');
    await must(bench(), { do: 'snapshot', of: id, from, at });
    const snapshot = await mustSee(bench(), at);
    expect(snapshot.id).not.toBe(id);
    expect(snapshot.bytes).toBe(SMALL);
    expect(await idAt(bench(), from)).toBe(id);
    await write(bench(), from, SMALL - 6, 'origin');
    await write(bench(), at, 0, 'session');
    expect(await read(bench(), at, SMALL - 6, 6)).toBe('before');
    expect(await read(bench(), from, 0, 7)).toBe(ZERO.repeat(7));
  });

  test('a snapshot is refused over another disk, and of a disk that is not the one meant', async () => {
    const from = placeIn(bench(), CURRENT);
    const at = placeIn(bench(), SESSION);
    const { id } = await made(bench(), from);
    const taken = await made(bench(), at);
    expect(await refusal(bench(), { do: 'snapshot', of: id, from, at })).not.toBeNull();
    expect(await idAt(bench(), at)).toBe(taken.id);
    const elsewhere = placeIn(bench(), IMPORT);
    expect(await refusal(bench(), { do: 'snapshot', of: taken.id, from, at: elsewhere })).not.toBeNull();
    expect(await seenAt(bench(), elsewhere)).toBeUndefined();
  });

  test('the step that made a disk is known from the disk until its command is settled', async () => {
    const from = placeIn(bench(), CURRENT);
    const at = placeIn(bench(), { kind: 'incoming', position: 12 });
    const create: Job = { command: 'maker', step: 3, deed: { do: 'create', at: from, bytes: SMALL } };
    await carryOut(bench(), create);
    const { id } = await mustSee(bench(), from);
    await carryOut(bench(), { command: 'maker', step: 4, deed: { do: 'snapshot', of: id, from, at } });
    const moved = placeIn(bench(), REVISION);
    await carryOut(bench(), { command: 'maker', step: 5, deed: { do: 'move', disk: id, from, to: moved } });
    expect((await mustSee(bench(), moved)).madeBy).toEqual({ command: 'maker', step: 3 });
    expect((await mustSee(bench(), at)).madeBy).toEqual({ command: 'maker', step: 4 });
    await bench().driver.settle('maker');
    // LVM keeps its tags; a driver with markers beside the disks forgets.
    expect([null, 3]).toContain((await mustSee(bench(), moved)).madeBy?.step ?? null);
    expect((await mustSee(bench(), at)).bytes).toBe(SMALL);
  });
};

const moving = (bench: BenchOf): void => {
  test('a move keeps the id, the size and the content', async () => {
    let from = placeIn(bench(), SESSION);
    const disk = await made(bench(), from);
    await write(bench(), from, 4096, 'content');
    for (const role of [CURRENT, REVISION, IMPORT, TRASH, SESSION]) {
      const to = placeIn(bench(), role);
      await must(bench(), { do: 'move', disk: disk.id, from, to });
      expect(await seenAt(bench(), from)).toBeUndefined();
      expect(await mustSee(bench(), to)).toMatchObject({ id: disk.id, bytes: disk.bytes });
      expect(await read(bench(), to, 4096, 7)).toBe('content');
      from = to;
    }
  });

  test('a disk that somebody has open is seen as open, and can be moved under them', async ({ skip }) => {
    const { holdOpen } = bench();
    if (!holdOpen) return skip();
    const from = placeIn(bench(), SESSION);
    const to = placeIn(bench(), CURRENT);
    const { id, open } = await made(bench(), from);
    expect(open).toBe(false);
    await write(bench(), from, 0, 'held');
    const holder = await holdOpen(bench().driver.pathOf(from));
    try {
      expect((await mustSee(bench(), from)).open).toBe(true);
      await must(bench(), { do: 'move', disk: id, from, to });
      expect(await holder.readAt(0, 4)).toBe('held');
      expect((await mustSee(bench(), to)).open).toBe(true);
    } finally {
      await holder.release();
    }
    expect((await mustSee(bench(), to)).open).toBe(false);
  });

  test('a move onto another disk is refused and changes nothing', async () => {
    const from = placeIn(bench(), SESSION);
    const to = placeIn(bench(), CURRENT);
    const session = await made(bench(), from);
    const current = await made(bench(), to);
    await write(bench(), to, 0, 'committed');
    expect(await refusal(bench(), { do: 'move', disk: session.id, from, to })).not.toBeNull();
    expect(await idAt(bench(), from)).toBe(session.id);
    expect(await idAt(bench(), to)).toBe(current.id);
    expect(await read(bench(), to, 0, 9)).toBe('committed');
  });

  test('a move or a snapshot onto the disk itself is refused, not told as done', async () => {
    const at = placeIn(bench(), CURRENT);
    const { id } = await made(bench(), at);
    expect(await refusal(bench(), { do: 'move', disk: id, from: at, to: at })).toBe('D_DRIVER_REFUSES');
    expect(await refusal(bench(), { do: 'snapshot', of: id, from: at, at })).toBe('D_DRIVER_REFUSES');
    expect(await idAt(bench(), at)).toBe(id);
  });

  test('only the disk with the right id is moved', async () => {
    const from = placeIn(bench(), SESSION);
    const to = placeIn(bench(), CURRENT);
    const session = await made(bench(), from);
    const other = await made(bench(), placeIn(bench(), SESSION, 'root'));
    expect(await refusal(bench(), { do: 'move', disk: other.id, from, to })).not.toBeNull();
    expect(await idAt(bench(), from)).toBe(session.id);
    expect(await seenAt(bench(), to)).toBeUndefined();
  });
};

const changing = (bench: BenchOf): void => {
  test('a resize grows with zeros and keeps id and content', async () => {
    const at = placeIn(bench(), CURRENT);
    const { id } = await made(bench(), at);
    await write(bench(), at, SMALL - 3, 'end');
    await must(bench(), { do: 'resize', disk: id, at, bytes: LARGE, shrink: false });
    expect(await mustSee(bench(), at)).toMatchObject({ id, bytes: LARGE });
    expect(await read(bench(), at, SMALL - 3, LARGE)).toBe(`end${ZERO.repeat(LARGE - SMALL)}`);
  });

  test('a disk shrinks only when that was asked for', async () => {
    const at = placeIn(bench(), CURRENT);
    const { id } = await made(bench(), at, LARGE);
    await write(bench(), at, 0, 'start');
    expect(await refusal(bench(), { do: 'resize', disk: id, at, bytes: SMALL, shrink: false })).not.toBeNull();
    expect((await mustSee(bench(), at)).bytes).toBe(LARGE);
    await must(bench(), { do: 'resize', disk: id, at, bytes: SMALL, shrink: true });
    expect(await mustSee(bench(), at)).toMatchObject({ id, bytes: SMALL });
    expect(await read(bench(), at, 0, 5)).toBe('start');
  });

  test('an erase removes the disk with that id and no other', async () => {
    const at = placeIn(bench(), TRASH);
    const doomed = await made(bench(), at);
    const other = await made(bench(), placeIn(bench(), CURRENT));
    expect(await refusal(bench(), { do: 'erase', disk: other.id, at })).not.toBeNull();
    expect(await idAt(bench(), at)).toBe(doomed.id);
    expect(await idAt(bench(), placeIn(bench(), CURRENT))).toBe(other.id);
    await must(bench(), { do: 'erase', disk: doomed.id, at });
    expect((await surveyed(bench())).map(({ id }) => id)).toEqual([other.id]);
  });

  test('a snapshot outlives the disk it was made from', async () => {
    const from = placeIn(bench(), TRASH);
    const at = placeIn(bench(), CURRENT);
    const origin = await made(bench(), from);
    await write(bench(), from, 8192, 'inherited');
    await must(bench(), { do: 'snapshot', of: origin.id, from, at });
    const { id } = await mustSee(bench(), at);
    await must(bench(), { do: 'erase', disk: origin.id, at: from });
    expect(await idAt(bench(), at)).toBe(id);
    expect(await read(bench(), at, 8192, 9)).toBe('inherited');
  });
};

const filling = (bench: BenchOf): void => {
  test('a fill replaces everything, also where the source is zero or shorter', async () => {
    const at = placeIn(bench(), IMPORT);
    const { id } = await made(bench(), at, LARGE);
    for (const offset of [0, SMALL - 4, SMALL, LARGE - 4]) await write(bench(), at, offset, 'old!');
    const from = await bench().sourceFile(SMALL, [{ offset: 300_000, text: 'new' }]);
    await must(bench(), { do: 'fill', disk: id, at, from });
    expect(await mustSee(bench(), at)).toMatchObject({ id, bytes: LARGE });
    const expected = `${ZERO.repeat(300_000)}new${ZERO.repeat(LARGE - 300_003)}`;
    expect((await all(bench(), at, LARGE)) === expected).toBe(true);
  });

  test('a fill with more data than the disk holds is refused', async () => {
    const at = placeIn(bench(), IMPORT);
    const { id } = await made(bench(), at);
    const from = await bench().sourceFile(LARGE, [{ offset: LARGE - 1, text: 'x' }]);
    expect(await refusal(bench(), { do: 'fill', disk: id, at, from })).toBe('D_TOO_MUCH_DATA');
    expect(await mustSee(bench(), at)).toMatchObject({ id, bytes: SMALL });
  });

  test('a fill from a file that is not the one the plan was made for is refused', async () => {
    const at = placeIn(bench(), IMPORT);
    const { id } = await made(bench(), at);
    const from = await bench().sourceFile(SMALL, [{ offset: 0, text: 'x' }]);
    const other = { ...from, stamp: 'another file' };
    expect(await refusal(bench(), { do: 'fill', disk: id, at, from: other })).toBe('D_INPUT_CHANGED');
    expect((await mustSee(bench(), at)).id).toBe(id);
  });

  test('a fill from a stream replaces everything; one whose stream breaks says why', async () => {
    const at = placeIn(bench(), IMPORT);
    const { id } = await made(bench(), at);
    await write(bench(), at, 0, 'old!');
    const content = Buffer.alloc(SMALL);
    content.write('new', 300_000);
    const whole = async function* () {
      yield content.subarray(0, 100_001);
      yield content.subarray(100_001);
    };
    await must(bench(), { do: 'fill', disk: id, at, from: { kind: 'stream', bytes: SMALL, open: whole } });
    const expected = content.toString('latin1');
    expect((await all(bench(), at, SMALL)) === expected).toBe(true);
    const broken = async function* () {
      yield content.subarray(0, 100_001);
      throw new Error('its data does not authenticate');
    };
    const from = { kind: 'stream', bytes: SMALL, open: broken } as const;
    expect(await refusal(bench(), { do: 'fill', disk: id, at, from })).toBe('D_BACKUP_INVALID');
  });

  test('a disk read to a file is equal byte for byte', async () => {
    const at = placeIn(bench(), CURRENT);
    const { id } = await made(bench(), at);
    await write(bench(), at, 0, 'first');
    await write(bench(), at, SMALL - 4, 'last');
    const path = bench().targetPath();
    await must(bench(), { do: 'read', disk: id, at, to: { kind: 'file', path } });
    const content = await bench().readAt(path, 0, LARGE);
    expect(content === `first${ZERO.repeat(SMALL - 9)}last`).toBe(true);
    expect((await mustSee(bench(), at)).id).toBe(id);
  });
};

/** The deeds of a small life, each with the sight it must end in. */
const lifeOf = async (bench: DriverBench): Promise<void> => {
  const current = placeIn(bench, CURRENT);
  const session = placeIn(bench, SESSION);
  const trash = placeIn(bench, TRASH);
  const twice = async (deed: BoundDeed, at: Place, bytes: number): Promise<Sighting> => {
    const job = jobFor(deed);
    await carryOut(bench, job);
    const first = await mustSee(bench, at);
    // What the second act reports is left open: LVM answers "already there" and "not there" with the same exit code.
    await bench.driver.act(job);
    expect(await mustSee(bench, at)).toMatchObject({ id: first.id, bytes, madeBy: first.madeBy });
    return first;
  };
  const disk = await twice({ do: 'create', at: current, bytes: SMALL }, current, SMALL);
  await write(bench, current, 0, 'kept');
  const copy = await twice({ do: 'snapshot', of: disk.id, from: current, at: session }, session, SMALL);
  await write(bench, session, 4, 'more');
  await twice({ do: 'resize', disk: copy.id, at: session, bytes: LARGE, shrink: false }, session, LARGE);
  await twice({ do: 'move', disk: disk.id, from: current, to: trash }, trash, SMALL);
  await twice({ do: 'move', disk: copy.id, from: session, to: current }, current, LARGE);
  const erase = jobFor({ do: 'erase', disk: disk.id, at: trash });
  await carryOut(bench, erase);
  await bench.driver.act(erase);
  expect((await surveyed(bench)).map(({ id }) => id)).toEqual([copy.id]);
  expect(await read(bench, current, 0, 8)).toBe('keptmore');
};

const surroundings = (bench: BenchOf): void => {
  test('every deed carried out twice leaves what it left once', () => lifeOf(bench()));

  test('a survey shows disks that others made, and nothing touches them', async ({ skip }) => {
    const { foreignCreate } = bench();
    if (!foreignCreate) return skip();
    const place = placeIn(bench(), CURRENT);
    await foreignCreate(place, SMALL);
    const foreign = await mustSee(bench(), place);
    expect(foreign).toMatchObject({ bytes: SMALL, madeBy: null });
    expect(await refusal(bench(), { do: 'create', at: place, bytes: LARGE })).not.toBeNull();
    const ours = await made(bench(), placeIn(bench(), SESSION));
    const wrong: BoundDeed = { do: 'erase', disk: ours.id, at: place };
    expect(await refusal(bench(), wrong)).not.toBeNull();
    await bench().driver.settle('contract-1');
    expect(await mustSee(bench(), place)).toMatchObject({ id: foreign.id, bytes: SMALL });
  });

  test('a disk that others removed or renamed is seen as it is now', async ({ skip }) => {
    const { foreignRemove, foreignRename, driver } = bench();
    if (!foreignRemove || !foreignRename) return skip();
    const current = placeIn(bench(), CURRENT);
    const elsewhere = placeIn(bench(), CURRENT, 'root');
    const { id, name } = await made(bench(), current);
    await foreignRename(name, driver.nameOf(elsewhere));
    expect(await idAt(bench(), elsewhere)).toBe(id);
    expect(await refusal(bench(), { do: 'move', disk: id, from: current, to: placeIn(bench(), TRASH) })).not.toBeNull();
    await foreignRemove(driver.nameOf(elsewhere));
    expect(await surveyed(bench())).toEqual([]);
  });

  test('the pool knows its size and what of it is used', async () => {
    const usage = await bench().driver.usage();
    if (!usage.ok) throw new Error(usage.error.message);
    expect(usage.value.bytes).toBeGreaterThan(0);
    expect(usage.value.usedBytes).toBeGreaterThanOrEqual(0);
    expect(usage.value.usedBytes).toBeLessThanOrEqual(usage.value.bytes);
  });
};

/**
 * What every driver promises the runner, whatever it stores its disks on. Run it once per driver with a factory that
 * gives a fresh pool for each test.
 */
export const driverContract = (name: string, factory: () => Promise<DriverBench>): void => {
  describe(`${name} keeps the driver contract`, () => {
    let current: DriverBench | null = null;
    const bench: BenchOf = () => {
      if (!current) throw new Error('the bench is not set up');
      return current;
    };
    beforeEach(async () => {
      current = await factory();
    });
    afterEach(async () => {
      await current?.cleanup();
      current = null;
    });
    describe('making disks', () => making(bench));
    describe('moving disks', () => moving(bench));
    describe('changing and erasing disks', () => changing(bench));
    describe('content in and out', () => filling(bench));
    describe('content in pieces', () => imageContract(bench));
    describe('repetition and surroundings', () => surroundings(bench));
  });
};
