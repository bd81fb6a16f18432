import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import rules from '../vectors/firewall-rules.json' with { type: 'json' };
import { emptyHome, expectRefusal, homeWithWork, scratchDirectory, type Terminal } from './terminal.ts';

type Item = {
  readonly input: string;
  readonly ok: boolean;
  readonly rule: string | null;
  readonly entry: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
};
type Firewall = { readonly vm: string; readonly rules: readonly string[]; readonly numbers: readonly number[] };

const WEB = 'action=accept dsthost=example.com proto=tcp dstports=443-443';
const FAR = 'action=accept expire=4102444800';

describe('firewall check', () => {
  let nowhere: Terminal;
  beforeAll(async () => {
    nowhere = await emptyHome();
  });
  const check = async (input: string) => {
    const ended = await nowhere.run(['firewall', 'check', '-f', '-', '--json'], { input });
    return { code: ended.code, items: (JSON.parse(ended.out) as { items: readonly Item[] }).items };
  };

  test('says of every given rule what stock says, in one go and without a home', async () => {
    type Case = { readonly input: string; readonly expected: { readonly ok?: { api_rule: string; rule: string } } };
    const cases = (rules.cases as unknown as readonly Case[]).filter(
      ({ input }) => input !== '' && !/[^\0-\u007f]/.test(input),
    );
    const { code, items } = await check(cases.map(({ input }) => input).join('\n'));
    expect(code).toBe(1);
    expect(items).toHaveLength(cases.length);
    for (const [at, { input, expected }] of cases.entries()) {
      const { ok, rule, entry, error } = items[at] as Item;
      const fine = expected.ok;
      expect({ input, ok, rule, entry }).toEqual({
        input,
        ok: fine !== undefined,
        rule: fine?.api_rule ?? null,
        entry: fine?.rule ?? null,
      });
      expect(error === null).toBe(ok);
    }
  });

  test('lines end at LF only, nothing is trimmed, and blank lines give no item', async () => {
    const { code, items } = await check('\naction=accept comment=a \n\naction=drop\r\n');
    expect([code, items.map(({ input, rule }) => [input, rule])]).toEqual([
      0,
      [
        ['action=accept comment=a ', 'action=accept comment=a '],
        ['action=drop\r', 'action=drop'],
      ],
    ]);
  });

  test('an expired rule is fine and has no effect', async () => {
    expect(await check('action=accept expire=1463292452')).toMatchObject({
      code: 0,
      items: [{ ok: true, rule: null, entry: null, error: null }],
    });
  });

  test('names option and value; the page escapes what could move a cursor', async () => {
    const { items } = await check('action=accept proto=tcp dstports=90-80');
    expect(items[0]?.error).toEqual({
      code: 'D_FIREWALL_RULE_INVALID',
      message: 'dstports="90-80": the range ends before it begins',
    });
    const page = await nowhere.run(['firewall', 'check', '-f', '-'], {
      input: 'action=\u001b[2J\u202e\naction=drop\n',
    });
    expect(page.code).toBe(1);
    expect(page.out).not.toMatch(/[\u001b\u202e]/);
    expect(page.out).toContain('2 rules, 1 of them not valid');
  });

  test('reads a firewall.xml too, or says why it will not', async () => {
    const dir = await scratchDirectory();
    const file = join(dir, 'firewall.xml');
    writeFileSync(file, '<Q policy="deny"><rule address="10.0.0.0" netmask="8" proto="tcp" port="22"/></Q>');
    const page = await nowhere.does('firewall', 'check', '--xml', file);
    expect(page).toContain('= action=accept dst4=10.0.0.0/8 proto=tcp dstports=22-22');
    writeFileSync(file, '<Q policy="deny"><!-- nothing yet --></Q>');
    expectRefusal(await nowhere.run(['firewall', 'check', '--xml', file]), 'D_FIREWALL_XML_UNSAFE');
  });

  test('asked for nothing, or for two things, it says what it takes', async () => {
    expectRefusal(await nowhere.run(['firewall', 'check']), 'D_USAGE');
    expectRefusal(await nowhere.run(['firewall', 'check', '-f', '-', 'action=drop']), 'D_USAGE');
    expectRefusal(await nowhere.run(['firewall', 'check', '-f', '/nowhere/rules']), 'D_NOT_FOUND');
  });
});

describe('the rules of a VM', () => {
  let terminal: Terminal;
  beforeAll(async () => {
    terminal = await homeWithWork();
  });
  const get = (...more: readonly string[]): Promise<Firewall> =>
    terminal.item<Firewall>('firewall', 'get', 'work', ...more);
  const file = () => readFileSync(join(terminal.home, 'appvms/work/firewall.xml'), 'utf8');

  test('are one rule that accepts everything until they are set; then they are those, in the file too', async () => {
    expect(await get()).toMatchObject({ rules: ['action=accept'], isDefault: true });
    const out = await terminal.does(
      'firewall',
      'set',
      'work',
      `${WEB} comment=the web`,
      FAR,
      'action=drop',
      '-m',
      'try',
    );
    expect(out).toBe('work has 3 rules\n');
    expect(await get()).toMatchObject({ rules: [`${WEB} comment=the web`, FAR, 'action=drop'], numbers: [0, 1, 2] });
    expect(file()).toContain('<property name="comment">the web</property>');
    expect(await terminal.does('firewall', 'get', 'work', '-n')).toContain('   2  action=drop\n');
  });

  test('go from one VM to another through a pipe', async () => {
    const lines = await terminal.does('firewall', 'get', 'work');
    const ended = await terminal.run(['firewall', 'set', 'debian', '-f', '-', '--json'], { input: lines });
    expect(JSON.parse(ended.out)).toMatchObject({ item: { name: 'SetFirewall', outcome: 'completed', vm: 'debian' } });
    expect(await terminal.does('firewall', 'get', 'debian')).toBe(lines);
    expect(readdirSync(join(terminal.home, 'vm-templates/debian'))).toEqual(['firewall.xml']);
  });

  test('grow and shrink by one, by number or by text', async () => {
    await terminal.does('firewall', 'add', 'work', 'action=drop dst4=10.0.0.0/8', '--before', '0');
    expect((await get()).rules[0]).toBe('action=drop dst4=10.0.0.0/8');
    await terminal.does('firewall', 'remove', 'work', '0');
    await terminal.does('firewall', 'remove', 'work', FAR);
    expect((await get()).rules).toEqual([`${WEB} comment=the web`, 'action=drop']);
    expectRefusal(await terminal.run(['firewall', 'remove', 'work', '7']), 'D_NOT_FOUND');
  });

  test('are shown for any point of history', async () => {
    const items = await terminal.items<{ type: string; position: number }>('log', 'work');
    const first = items.find(({ type }) => type === 'FirewallChanged')?.position;
    expect((await get('--at', `${first}`)).rules).toHaveLength(3);
    expect((await get('--at', `${(first ?? 1) - 1}`)).rules).toEqual(['action=accept']);
  });

  test('a plan shows the step and changes nothing; the same --id is done once', async () => {
    const before = await get();
    const plan = await terminal.run(['firewall', 'set', 'work', 'action=drop', '--plan']);
    expect([plan.code, plan.out]).toEqual([2, expect.stringContaining('~ work  write firewall.xml, 1 rule')]);
    expect(await get()).toEqual(before);
    for (const repeated of [false, true]) {
      const done = await terminal.item(
        'firewall',
        'add',
        'work',
        'action=accept proto=icmp',
        '--before',
        '0',
        '--id',
        'once',
      );
      expect(done).toMatchObject({ repeated });
    }
    expect((await get()).rules.filter((rule) => rule.includes('icmp'))).toHaveLength(1);
  });

  test('one bad rule refuses all of them, and the log keeps the attempt', async () => {
    const before = await get();
    const bad = await terminal.run(['firewall', 'set', 'work', 'action=accept', 'action=drop dst4=1.2.3.4/40']);
    expectRefusal(bad, 'D_FIREWALL_RULE_INVALID');
    expect(bad.err).toContain('rule 1: dsthost="1.2.3.4/40"');
    expectRefusal(await terminal.run(['firewall', 'set', 'work', '-f', '-'], { input: '' }), 'D_FIREWALL_RULE_INVALID');
    expectRefusal(await terminal.run(['firewall', 'set', 'work']), 'D_USAGE');
    expect(await get()).toEqual(before);
  });

  test('what has no effect is said', async () => {
    const ended = await terminal.run([
      'firewall',
      'set',
      'debian',
      'action=accept',
      'action=drop expire=5',
      'action=drop',
    ]);
    expect(ended.code).toBe(0);
    expect(ended.err).toContain('note: rule 1 has expired already; it has no effect');
    expect(ended.err).toContain('note: rule 0 (action=accept) matches everything; those after it are never reached');
    expect((await terminal.item<Firewall>('firewall', 'get', 'debian')).numbers).toEqual([0, 2]);
  });

  test('a file that somebody changed is left alone until reload puts it aside', async () => {
    const path = join(terminal.home, 'appvms/work/firewall.xml');
    writeFileSync(path, '<firewall version="2"><rules/></firewall>');
    const refused = await terminal.run(['firewall', 'set', 'work', WEB]);
    expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('error[D_DRIFT]')]);
    expect(refused.err).toContain('This puts it aside: domtrail firewall reload work');
    const reloaded = await terminal.run(['firewall', 'reload', 'work']);
    expect(reloaded.code).toBe(0);
    expect(file()).not.toContain('<rules/>');
    expect(readdirSync(join(terminal.home, 'appvms/work')).filter((name) => name.includes('.foreign-'))).toHaveLength(
      1,
    );
    await terminal.does('firewall', 'set', 'work', WEB);
    await terminal.isSound();
  });

  test('go along with a clone, and go away with their VM', async () => {
    await terminal.run(['vm', 'clone', 'work', 'copy']);
    expect((await terminal.item<Firewall>('firewall', 'get', 'copy')).rules).toEqual([WEB]);
    await terminal.does('vm', 'remove', 'copy', '--yes');
    expect(readdirSync(join(terminal.home, 'appvms'))).not.toContain('copy');
    await terminal.isSound();
  });

  test('every event reads as a sentence', async () => {
    const log = await terminal.does('log', 'work');
    expect(log).toContain('work: firewall set, 3 rules');
    expect(log).toContain('work: firewall rule removed, 3 rules, - action=drop dst4=10.0.0.0/8');
    expect(log).toContain('work: firewall brought out again');
  });
});
