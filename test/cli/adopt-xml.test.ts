import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyHome, expectRefusal, type Terminal } from './terminal.ts';

type Case = { readonly name: string; readonly input: string; readonly resaved: string };

const casesOf = (file: string): readonly Case[] =>
  (JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), 'utf8')) as { cases: Case[] }).cases;

const caseNamed = (name: string): Case => {
  const found = [...casesOf('qubes-xml'), ...casesOf('qubes-xml-edited')].find((one) => one.name === name);
  if (!found) throw new Error(`no case ${name}`);
  return found;
};

const fileWith = (terminal: Terminal, text: string): string => {
  const file = join(terminal.home, '..', 'theirs.xml');
  writeFileSync(file, text);
  return file;
};

/** A home that took over the document of a vector. */
const adopted = async (name: string): Promise<Terminal> => {
  const terminal = await emptyHome();
  await terminal.does('init');
  await terminal.does('adopt', '--qubes-xml', fileWith(terminal, caseNamed(name).input));
  return terminal;
};

const RULES =
  '<firewall version="2"><rules><rule><properties><property name="action">drop</property></properties></rule></rules></firewall>';
/** The comment in such a file becomes a rule that lets everything pass, in stock. */
const OPENED = '<QubesFirewallRules policy="deny"><!-- x --></QubesFirewallRules>';

const firewallOf = async (terminal: Terminal, vm: string, text: string): Promise<string> => {
  const directory = join(terminal.home, '..', 'qubes');
  await mkdir(join(directory, 'appvms', vm), { recursive: true });
  await writeFile(join(directory, 'appvms', vm, 'firewall.xml'), text);
  return directory;
};

describe('adopt --qubes-xml', () => {
  test('the log prints what stock would save, has it in the file, and can be decided again', async () => {
    const terminal = await adopted('typical');
    const { resaved } = caseNamed('typical');
    expect(await terminal.does('xml')).toBe(resaved);
    expect(await readFile(join(terminal.home, 'qubes.xml'), 'utf8')).toBe(resaved);
    await terminal.does('vm', 'prefs', 'personal', 'memory', '800');
    expect(await terminal.does('xml')).not.toBe(resaved);
    expect(await terminal.does('xml', '--at', '@-')).toBe(resaved);
    await terminal.does('replay');
    await terminal.does('verify');
  });

  test('a second time is refused: it would replace VMs', async () => {
    const terminal = await adopted('typical');
    const file = fileWith(terminal, caseNamed('typical').input);
    expectRefusal(await terminal.run(['adopt', '--qubes-xml', file]), 'D_EXISTS');
  });

  test('what stock silently drops is told, and stays in the log', async () => {
    const terminal = await emptyHome();
    await terminal.does('init');
    const text = caseNamed('typical')
      .input.replace('<properties>', '<properties><property name="odd">\u001b1</property>')
      .replace('\u001b', '');
    const ended = await terminal.run(['adopt', '--qubes-xml', fileWith(terminal, text)]);
    expect(ended.err).toMatch(/^warning: lost: .*odd.*\n$/);
    expect(ended.code).toBe(0);
    expect(await terminal.does('log', '--json')).toContain('property odd');
    expect(await terminal.does('xml')).toBe(caseNamed('typical').resaved);
  });

  test.each([
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><qubes/>'],
    ['half a document', '<qubes><labels>'],
    ['nothing', ''],
  ])('%s is refused, and nothing is recorded but the refusal', async (_, text) => {
    const terminal = await emptyHome();
    await terminal.does('init');
    const before = await terminal.does('xml');
    expectRefusal(await terminal.run(['adopt', '--qubes-xml', fileWith(terminal, text)]), 'D_DOCUMENT_REFUSED');
    expect(await terminal.does('xml')).toBe(before);
  });

  test('a name that is none is adopted, can be looked at and changed, and never becomes a path', async () => {
    const terminal = await emptyHome();
    await terminal.does('init');
    const text = caseNamed('typical').input.replaceAll('>personal<', '>../../personal x<');
    await terminal.does('adopt', '--qubes-xml', fileWith(terminal, text));
    await terminal.does('vm', 'prefs', '../../personal x', 'memory', '800');
    expectRefusal(await terminal.run(['vm', 'start', '../../personal x']), 'D_NAME_UNSAFE');
    expectRefusal(await terminal.run(['vm', 'start', '../../another']), 'D_BAD_INPUT');
  });
});

describe('adopt --firewall-dir', () => {
  test('takes the rules of each VM that has a file, and writes them as its own', async () => {
    const terminal = await emptyHome();
    await terminal.does('init');
    const directory = await firewallOf(terminal, 'personal', RULES);
    const file = fileWith(terminal, caseNamed('typical').input);
    await terminal.does('adopt', '--qubes-xml', file, '--firewall-dir', directory);
    expect(await terminal.item('firewall', 'get', 'personal')).toMatchObject({ rules: ['action=drop'] });
    await terminal.does('firewall', 'add', 'personal', 'action=accept dsthost=1.2.3.4', '--before', '0');
    const written = await readFile(join(terminal.home, 'appvms', 'personal', 'firewall.xml'), 'utf8');
    expect(written).toContain('1.2.3.4');
  });

  test('a file that would be misread as open refuses the whole, and no VM comes in without its firewall', async () => {
    const terminal = await emptyHome();
    await terminal.does('init');
    const directory = await firewallOf(terminal, 'personal', OPENED);
    const file = fileWith(terminal, caseNamed('typical').input);
    const ended = await terminal.run(['adopt', '--qubes-xml', file, '--firewall-dir', directory]);
    expect(ended.err).toContain('firewall.xml');
    expectRefusal(ended, 'D_FIREWALL_XML_UNSAFE');
    expect((await terminal.items<{ name: string }>('vm', 'list')).map(({ name }) => name)).toEqual(['dom0']);
  });

  test('a directory that is not there is no directory without firewalls', async () => {
    const terminal = await emptyHome();
    await terminal.does('init');
    const file = fileWith(terminal, caseNamed('typical').input);
    const ended = await terminal.run(['adopt', '--qubes-xml', file, '--firewall-dir', join(terminal.home, 'none')]);
    expectRefusal(ended, 'D_NOT_FOUND');
  });
});

describe('diff', () => {
  test('tells what changed between two points, by which command, and the way back', async () => {
    const terminal = await adopted('typical');
    await terminal.does('vm', 'prefs', 'personal', 'memory', '800', '-m', 'slow');
    await terminal.does('vm', 'tags', 'personal', 'add', 'mine');
    await terminal.does('vm', 'tags', 'personal', 'del', 'mine');
    await terminal.does('label', 'add', 'lime', '0x00ff00');
    const there = await terminal.run(['diff', 'ev:23', '@']);
    expect(there.out).toMatch(
      /^global\n {2}\+ label lime: 0x00ff00 .*SetLabel.*\npersonal\n {2}\+ property memory: 800 .*SetProperty.*"slow"\n$/,
    );
    expect(there.code).toBe(2);
    const back = await terminal.run(['diff', '@', 'ev:23', 'personal', '--json']);
    expect(JSON.parse(back.out)).toMatchObject({
      item: {
        changes: [{ object: 'personal', aspect: 'property memory', before: '800', after: null, name: 'SetProperty' }],
      },
    });
    expect(await terminal.does('diff', '@', '@')).toBe('no changes\n');
    expectRefusal(await terminal.run(['diff', 'ev:1', '@', 'nobody']), 'D_NOT_FOUND');
  });
});

describe('settings on the command line', () => {
  test('devices, labels and global properties are set, shown and taken back', async () => {
    const terminal = await adopted('typical');
    const before = await terminal.does('xml');
    await terminal.does(
      'vm',
      'devices',
      'personal',
      'assign',
      'pci',
      'dom0:00_1f.2',
      '--option',
      'no-strict-reset=True',
    );
    expect(await terminal.does('xml')).toContain(
      '<device backend-domain="dom0" id="00_1f.2" mode="required" identity="*">',
    );
    expect(await terminal.items('vm', 'devices', 'personal')).toMatchObject([{ class: 'pci', id: '00_1f.2' }]);
    await terminal.does('vm', 'devices', 'personal', 'unassign', 'pci', 'dom0:00_1f.2');
    await terminal.does('label', 'add', 'lime', '0x00ff00');
    await terminal.does('vm', 'prefs', 'vault', 'label', 'lime');
    expectRefusal(await terminal.run(['label', 'remove', 'lime']), 'D_IN_USE');
    await terminal.does('vm', 'prefs', 'vault', 'label', 'black');
    await terminal.does('label', 'remove', 'lime');
    const netvm = (await terminal.does('prefs', 'default_netvm')).trim();
    await terminal.does('prefs', 'default_netvm', '');
    await terminal.does('prefs', 'default_netvm', netvm);
    expect((await terminal.does('xml')).replace(/ *<devices class="pci"\/>\n/, '')).toBe(before);
  });
});
