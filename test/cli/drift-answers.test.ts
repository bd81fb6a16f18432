import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectRefusal, homeWithWork, type Terminal } from './terminal.ts';

type Item = {
  readonly object: string;
  readonly kind: string;
  readonly problem: string;
  readonly position: number | null;
  readonly repair: string | null;
  readonly difference: string;
  readonly adopt: string | null;
  readonly ignore: string;
  readonly ignored: { readonly position: number; readonly reason: string } | null;
  readonly details?: readonly string[];
};

let terminal: Terminal;
const fresh = async (): Promise<void> => {
  terminal = await homeWithWork();
};

const image = (name: string): string => join(terminal.home, 'pools/default', name);
const document = (): string => join(terminal.home, 'qubes.xml');

/** What `drift` lists; its exit code says whether there is anything. */
const drift = async (...words: string[]): Promise<readonly Item[]> => {
  const ended = await terminal.run(['drift', ...words, '--json']);
  const { items } = JSON.parse(ended.out) as { items: readonly Item[] };
  expect(ended.code).toBe(items.some(({ ignored }) => ignored === null) ? 2 : 0);
  return items;
};

const only = async (): Promise<Item> => {
  const [first, second] = await drift();
  if (!first || second) throw new Error('not exactly one thing differs');
  return first;
};

/** Types what was offered, in a shell. */
const type = (offer: string | null): Promise<string> =>
  terminal.does(...(offer ?? '').replace(/^domtrail /, '').split(' '));

const PRIVATE = 'appvms/work/private.img';

describe('a file that somebody else changed', () => {
  beforeEach(fresh);

  test('is listed with the event that explains it and what can be typed; adopt takes its size over', async () => {
    truncateSync(image(PRIVATE), 2 ** 32);
    expect(await drift()).toMatchObject([
      {
        object: `work:private ${PRIVATE}`,
        kind: 'volume',
        difference: 'resized',
        position: expect.any(Number),
        adopt: `domtrail drift adopt ${PRIVATE}`,
        repair: null,
        ignore: `domtrail drift ignore ${PRIVATE} -m REASON`,
        ignored: null,
      },
    ]);
    expect((await terminal.run(['fsck'])).out).toContain(`repair: domtrail drift adopt ${PRIVATE}`);
    for (const name of ['work:private', image(PRIVATE)]) expect(await drift(name)).toHaveLength(1);
    expect(await drift('debian')).toEqual([]);
    expectRefusal(await terminal.run(['drift', 'nobody']), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(['drift', '--at', 'ev:3']), 'D_USAGE');
    const plan = await terminal.run(['drift', 'adopt', 'work:private', '--plan']);
    expect({ code: plan.code, out: plan.out }).toEqual({
      code: 2,
      out: expect.stringContaining('4.0 GiB now, accepted'),
    });
    await type((await only()).adopt);
    expect((await terminal.info('work:private')).size).toBe(2 ** 32);
    await terminal.isSound();
    expect(await drift()).toEqual([]);
  });

  test('repair renames two exchanged files back', async () => {
    await terminal.does('vm', 'create', 'play', '--class', 'AppVM', '--template', 'debian');
    const other = 'appvms/play/private.img';
    renameSync(image(PRIVATE), image('x'));
    renameSync(image(other), image(PRIVATE));
    renameSync(image('x'), image(other));
    const found = await drift();
    expect(found.map(({ difference }) => difference)).toEqual(['replaced', 'replaced']);
    await type(found[0]?.repair ?? null);
    await terminal.isSound();
    expect(await drift()).toEqual([]);
  });

  test('ignored: not told again, shown by --all and the log, until it changes', async () => {
    truncateSync(image(PRIVATE), 2 ** 32);
    expectRefusal(await terminal.run(['drift', 'ignore', 'work']), 'D_USAGE');
    await terminal.does('drift', 'ignore', 'work', '-m', 'grown on purpose');
    expect(await drift()).toEqual([]);
    expect(await drift('--all')).toMatchObject([{ ignored: { reason: 'grown on purpose' } }]);
    expect(await terminal.does('log', 'work:private', '--type', 'DriftIgnored')).toContain('grown on purpose');
    truncateSync(image(PRIVATE), 2 ** 33);
    expect(await drift()).toHaveLength(1);
    truncateSync(image(PRIVATE), 2 ** 32);
    expect(await drift()).toEqual([]);
    await terminal.does('drift', 'notice', PRIVATE);
    expect(await drift()).toHaveLength(1);
  });
});

describe('qubes.xml', () => {
  beforeAll(fresh);

  const edit = (change: (text: string) => string): void =>
    writeFileSync(document(), change(readFileSync(document(), 'utf8')));
  const attention = async () =>
    (await terminal.item<{ attention: readonly { object: string; next: string }[] }>('status')).attention;
  const relabel = (text: string): string => text.replace(/(name="label">)(?:red|blue)/, (_, start) => `${start}green`);

  test('edited by hand: status and drift say so, adopt takes the settings over one by one', async () => {
    edit((text) => relabel(text).replace('rw="True"', 'rw="False"'));
    expect(await attention()).toEqual([
      { object: 'qubes.xml', problem: expect.any(String), next: 'domtrail drift qubes.xml' },
    ]);
    const { details, adopt } = await only();
    expect(details).toEqual([expect.stringContaining('rw is False in the file'), 'work: label is green in the file']);
    await type(adopt);
    expect(await terminal.does('vm', 'prefs', 'work', 'label')).toBe('green\n');
    expect([await attention(), await drift()]).toEqual([[], []]);
    expect(await terminal.does('verify')).not.toContain('BAD');
  });

  test('edited beyond what a command could do: adopt refuses all of it, repair keeps it aside', async () => {
    edit((text) => text.replace('>green<', '>gray<').replace('class="AppVM"', 'class="StandaloneVM"'));
    const { adopt, repair, details } = await only();
    expect([adopt, details]).toEqual([null, expect.arrayContaining([expect.stringContaining('adopt cannot')])]);
    const before = readFileSync(document(), 'utf8');
    expectRefusal(await terminal.run(['drift', 'adopt', 'qubes.xml']), 'D_DRIFT');
    expect(readFileSync(document(), 'utf8')).toBe(before);
    await type(repair);
    const kept = readdirSync(terminal.home).find((name) => name.startsWith('qubes.xml.foreign-'));
    expect(readFileSync(join(terminal.home, kept ?? ''), 'utf8')).toBe(before);
    expect(readFileSync(document(), 'utf8')).toBe(await terminal.does('xml'));
    expect(await terminal.does('vm', 'prefs', 'work', 'label')).toBe('green\n');
  });

  test('missing: written again', async () => {
    rmSync(document());
    expect(await attention()).toMatchObject([{ object: 'qubes.xml' }]);
    await type((await only()).repair);
    expect(readFileSync(document(), 'utf8')).toBe(await terminal.does('xml'));
  });

  test('touched only, or ignored: nothing to tell, and commands go on', async () => {
    writeFileSync(document(), readFileSync(document(), 'utf8'));
    expect([await attention(), await drift()]).toEqual([[], []]);
    edit((text) => text.replace('>green<', '>gray<'));
    await terminal.does('drift', 'ignore', 'qubes.xml', '-m', 'for a test');
    expect([await attention(), await drift()]).toEqual([[], []]);
    await terminal.does('vm', 'prefs', 'work', 'memory', '500');
    expect(readFileSync(document(), 'utf8')).toContain('>gray<');
  });
});

describe('firewall.xml', () => {
  beforeAll(fresh);

  const file = (): string => join(terminal.home, 'appvms/work/firewall.xml');
  const RULE = 'action=drop proto=icmp';

  test('edited: adopt takes the rules over, repair writes ours', async () => {
    await terminal.does('firewall', 'set', 'work', 'action=accept');
    const ours = readFileSync(file(), 'utf8');
    await terminal.does('firewall', 'set', 'work', RULE);
    const theirs = readFileSync(file(), 'utf8');
    await terminal.does('firewall', 'set', 'work', 'action=accept');
    writeFileSync(file(), theirs.replaceAll('  ', '\t'));
    const { adopt, repair, details, object } = await only();
    expect({ object, details }).toEqual({ object: 'appvms/work/firewall.xml', details: [`the file has 0: ${RULE}`] });
    await type(adopt);
    expect(readFileSync(file(), 'utf8')).toBe(theirs);
    expect((await terminal.item<{ rules: readonly string[] }>('firewall', 'get', 'work')).rules).toEqual([RULE]);
    await terminal.isSound();
    writeFileSync(file(), ours);
    await type(repair);
    expect(readFileSync(file(), 'utf8')).toBe(theirs);
    expect(await drift()).toEqual([]);
  });

  test('of a VM whose rules nobody set: told, and adopted', async () => {
    const theirs = join(terminal.home, 'vm-templates/debian/firewall.xml');
    mkdirSync(dirname(theirs), { recursive: true });
    copyFileSync(file(), theirs);
    expect(await only()).toMatchObject({
      object: 'vm-templates/debian/firewall.xml',
      problem: expect.stringContaining('is there already'),
    });
    await type((await only()).adopt);
    expect(await terminal.does('firewall', 'get', 'debian')).toContain(RULE);
  });
});
