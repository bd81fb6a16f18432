import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createWords, removeWords, renameWords } from '../../infrastructure/drivers/lvm-thin/argv.ts';
import { groupChangedBy, markIn } from '../../infrastructure/lvm-history/mark.ts';
import { readArchive } from '../../infrastructure/lvm-history/read-archive.ts';
import { crossCheck, type Log } from '../../infrastructure/service/testimony.ts';

const GROUP = 'qubes_dom0';
const POOL = { volumeGroup: GROUP, thinPool: 'vm-pool' };
const of = (step: number, command = 'c1') => ({ command, step });
const rename = (step: number, command?: string) => renameWords(`${GROUP}/a`, `${GROUP}/b`, of(step, command));
const T = 1_700_000_000;

/** As LVM writes down what it was called with: words with blanks in single quotes. */
const line = (words: readonly string[]): string =>
  words.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ');

const escaped = (text: string): string => text.replaceAll(/["\\]/g, '\\$&');

const fileText = (seqno: number, time: number, description: string): string =>
  `description = "${escaped(description)}"\ncreation_host = "dom0"\ncreation_time = ${time}\n${GROUP} {\nseqno = ${seqno}\n}\n`;

type Kept = readonly [seqno: number, time: number, words: readonly string[]];

const dirs = mkdtempSync(join(tmpdir(), 'domtrail-archive-'));
afterAll(() => rmSync(dirs, { recursive: true }));
let count = 0;

/** LVM's two directories with what it kept before each change, and after the last. */
const keeps = (...kept: readonly Kept[]) => {
  const root = join(dirs, `${++count}`);
  const [archive, backup] = [join(root, 'archive'), join(root, 'backup')];
  mkdirSync(archive, { recursive: true });
  mkdirSync(backup);
  kept.forEach(([seqno, time, words], index) => {
    const name = `${GROUP}_${`${index}`.padStart(5, '0')}-${1000 + index}.vg`;
    writeFileSync(join(archive, name), fileText(seqno, time, `Created *before* executing '${line(words)}'`));
  });
  const last = kept.at(-1);
  if (last)
    writeFileSync(join(backup, GROUP), fileText(last[0] + 1, last[1], `Created *after* executing '${line(last[2])}'`));
  return { archive, backup };
};

const act = (step: number, time: number, command = 'c1') => ({
  command,
  step,
  group: GROUP,
  position: step * 10,
  began: time * 1000,
  words: 'rename',
});

const log = (acts: Log['acts']): Log => ({ acts, commands: new Set(['c1']), since: T * 1000, testified: new Map() });

const compared = async (kept: ReturnType<typeof keeps>, known: Log) => {
  const archive = await readArchive(kept, GROUP);
  if (!archive.ok) throw new Error(archive.error.message);
  return crossCheck(GROUP, archive.value, known);
};

const problems = async (kept: ReturnType<typeof keeps>, known: Log) =>
  (await compared(kept, known)).filter(({ problem }) => problem !== null);

const create = createWords(POOL, `${GROUP}/a`, 512, of(1));
const remove = removeWords('uuid', `${GROUP}/b`, of(3));
const WHOLE: readonly Kept[] = [
  [7, T + 10, create],
  [8, T + 10, create],
  [9, T + 20, rename(2)],
  [10, T + 30, remove],
  [11, T + 30, remove],
];
const STEPS = [act(1, T + 10), act(2, T + 20), act(3, T + 30)];

describe('marks', () => {
  test('every command that changes LVs tells its step, as written and as LVM quotes it', () => {
    expect(markIn(line(create))).toEqual(of(1));
    expect(markIn(line(rename(12)))).toEqual(of(12));
    expect(markIn(escaped(line(remove)))).toEqual(of(3));
  });

  test('a command of somebody else has none, and half a mark is none', () => {
    for (const text of ['lvremove vg/a', 'lvcreate --addtag dt.cmd=c1 -n a vg', 'lvrename domtrail/step="c1" a b'])
      expect(markIn(text)).toBeNull();
  });

  test('which volume group a program of ours changed', () => {
    expect(groupChangedBy(['sudo', 'lvm', ...rename(1)])).toBe(GROUP);
    expect(groupChangedBy(['lvm', ...create])).toBe(GROUP);
    expect(groupChangedBy(['lvm', 'lvs', '--', GROUP])).toBeNull();
    expect(groupChangedBy(['blkdiscard', '/dev/x'])).toBeNull();
  });
});

describe("LVM's archive against the log", () => {
  test('agrees: each command once, each with its event', async () => {
    const found = await compared(keeps(...WHOLE), log(STEPS));
    expect(found.map(({ kind, position, problem }) => [kind, position, problem])).toEqual([
      ['ours', 10, null],
      ['ours', 20, null],
      ['ours', 30, null],
    ]);
  });

  test('a command that is not ours is shown with its line and its time', async () => {
    const kept = keeps(...WHOLE, [12, T + 40, ['lvremove', '-y', `${GROUP}/vm-work-private`]]);
    expect(await problems(kept, log(STEPS))).toMatchObject([
      { kind: 'foreign', commandLine: `lvremove -y ${GROUP}/vm-work-private`, time: (T + 40) * 1000 },
    ]);
  });

  test('what was there before the log is history, and no problem', async () => {
    const kept = keeps([1, T - 50, ['vgcreate', GROUP]], [6, T - 40, ['lvcreate', '-n', 'x']], ...WHOLE);
    expect(await problems(kept, log(STEPS))).toEqual([]);
  });

  test('a clock set back does not make what came after our first step history', async () => {
    const kept = keeps(...WHOLE, [12, T - 3600, ['lvremove', `${GROUP}/x`]]);
    expect(await problems(kept, log(STEPS))).toMatchObject([{ kind: 'foreign' }]);
  });

  test('a step of the log that LVM kept nothing of is missing, and so is the change', async () => {
    const kept = keeps(...WHOLE.filter(([seqno]) => seqno !== 9));
    expect(await problems(kept, log(STEPS))).toMatchObject([
      { kind: 'gap', problem: expect.stringContaining('the state with seqno 9 left no entry') },
      { kind: 'missing', position: 20, repair: 'domtrail verify' },
    ]);
  });

  test('steps older than all that LVM keeps are not asked for', async () => {
    expect(await problems(keeps(...WHOLE.slice(2)), log(STEPS))).toEqual([]);
  });

  test('an entry that says it was ours, of a command the log does not have', async () => {
    const kept = keeps(...WHOLE, [12, T + 40, rename(1, 'c2')]);
    expect(await problems(kept, log(STEPS))).toMatchObject([{ kind: 'unlogged', repair: 'domtrail verify' }]);
  });

  test('a step that ended badly has no event of success, and is ours nevertheless', async () => {
    expect(await problems(keeps(...WHOLE, [12, T + 40, rename(9)]), log(STEPS))).toEqual([]);
  });

  test('no archive at all is a finding where we changed something', async () => {
    expect(await problems(keeps(), log(STEPS))).toMatchObject([{ kind: 'archive' }]);
    expect(await problems(keeps(), log([]))).toEqual([]);
  });

  test('a file that cannot be read is named, and the others count', async () => {
    const kept = keeps(...WHOLE);
    writeFileSync(join(kept.archive, `${GROUP}_00099-1.vg`), 'description = "');
    writeFileSync(join(kept.archive, `${GROUP}_more_00099-1.vg`), 'of another volume group');
    expect(await problems(kept, log(STEPS))).toMatchObject([
      { kind: 'archive', problem: 'it cannot be read: line 1: a string does not end' },
    ]);
  });
});
