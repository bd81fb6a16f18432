import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyHome, type Terminal } from '../../cli/terminal.ts';
import { labPool, must, removeAll } from './real-bench.ts';

const PATIENCE = 900_000;
const GROUP = 'qubes_dom0';
const ARCHIVE = '/etc/lvm/archive';

type Item = { readonly kind: string; readonly problem: string | null; readonly commandLine: string | null };

const problems = async (terminal: Terminal): Promise<readonly Item[]> => {
  const ended = await terminal.run(['witness', '--json']);
  const { items } = JSON.parse(ended.out) as { items: readonly Item[] };
  const found = items.filter(({ problem }) => problem !== null);
  expect(ended.code, ended.err).toBe(found.length === 0 ? 0 : 2);
  return found;
};

describe("LVM's own archive as a witness", () => {
  beforeEach(async () => {
    await labPool();
  });
  afterEach(removeAll);

  test('agrees with a life of a VM; then it gives away a command by hand, and a removed entry', {
    timeout: PATIENCE,
  }, async () => {
    const terminal = await emptyHome();
    await terminal.does('init', '--pool', `${GROUP}/vm-pool`);
    await terminal.does('vm', 'create', 'debian', '--class', 'TemplateVM');
    await terminal.does('vm', 'create', 'work', '--class', 'AppVM', '--template', 'debian');
    await terminal.does('vm', 'start', 'work');
    await terminal.does('vm', 'stop', 'work');
    expect(await problems(terminal)).toEqual([]);
    const all = await terminal.items<Item>('witness', '--all');
    expect(all.filter(({ kind }) => kind === 'ours').length).toBeGreaterThan(10);

    const byHand = `lvrename ${GROUP}/vm-work-private ${GROUP}/gone`;
    await must('lvm', 'lvrename', `${GROUP}/vm-work-private`, `${GROUP}/gone`);
    expect(await problems(terminal)).toMatchObject([{ kind: 'foreign', commandLine: byHand }]);
    await must('lvm', 'lvrename', `${GROUP}/gone`, `${GROUP}/vm-work-private`);

    const renames = readdirSync(ARCHIVE).filter((name) =>
      /domtrail\/step=/.test(readFileSync(join(ARCHIVE, name), 'utf8')),
    );
    rmSync(
      join(ARCHIVE, renames.find((name) => readFileSync(join(ARCHIVE, name), 'utf8').includes("'lvrename")) ?? ''),
    );
    const kinds = new Set((await problems(terminal)).map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['foreign', 'gap', 'missing']);
  });
});
