import { describe, expect, test } from 'vitest';
import type { Document } from '../../domain/document/commands.ts';
import { editsBetween, wordsOfEdit } from '../../domain/document/edits.ts';
import { readQubesXml } from '../../infrastructure/qubes-xml/read.ts';

const VOLUME = '<volume name="private" pool="p" vid="x" rw="True" revisions_to_keep="1" size="4096"/>';
const domain = (name: string, inside = ''): string =>
  `<domain id="domain-1" class="AppVM"><properties><property name="name">${name}</property>${inside}</properties><features/><tags/><volume-config>${VOLUME}</volume-config></domain>`;
const host = (domains: string, properties = ''): string =>
  `<qubes><labels/><pools/><properties>${properties}</properties><domains>${domains}</domains></qubes>`;

const documentOf = (text: string): Document => {
  const read = readQubesXml(text);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
};

const edited = (ours: string, theirs: string) => {
  const { edits, beyond } = editsBetween(documentOf(ours), documentOf(theirs));
  return { edits: edits.map(wordsOfEdit), beyond };
};

const OURS = host(
  domain('work', '<property name="label">red</property>'),
  '<property name="default_netvm">net</property>',
);

describe('edits of a qubes.xml', () => {
  test('the same document has none, however it is laid out', () => {
    expect(edited(OURS, OURS.replaceAll('><', '>\n  <'))).toEqual({ edits: [], beyond: [] });
  });

  test.each([
    ['>red<', '>blue<', 'work: label is blue in the file'],
    ['<property name="label">red</property>', '', 'work: label is not set in the file'],
    ['>net<', '>fw<', 'global: default_netvm is fw in the file'],
    ['<features/>', '<features><feature name="gui"/></features>', 'work: feature gui is "" in the file'],
    ['<tags/>', '<tags><tag name="mine"/></tags>', 'work: tag mine is there in the file'],
    ['rw="True"', 'rw="False"', 'work:private: rw is False in the file'],
    ['revisions_to_keep="1"', 'revisions_to_keep="3"', 'work:private: revisions_to_keep is 3 in the file'],
  ])('%s -> %s can be taken over', (from, to, words) => {
    expect(edited(OURS, OURS.replace(from, to))).toEqual({ edits: [words], beyond: [] });
  });

  test.each([
    ['class="AppVM"', 'class="StandaloneVM"', 'work: its class is StandaloneVM in the file'],
    ['size="4096"', 'size="8192"', 'work:private: size is 8192 in the file'],
    ['name="private"', 'name="data"', 'work:private is not in the file'],
    ['<labels/>', '<labels><label id="label-9" color="0x1">x</label></labels>', 'the labels are others in the file'],
    ['<pools/>', '<pools><pool name="p" driver="x"/></pools>', 'the pools are others in the file'],
    [domain('work', '<property name="label">red</property>'), domain('play'), 'VM work is not in the file'],
  ])('%s -> %s cannot', (from, to, words) => {
    const { edits, beyond } = edited(OURS, OURS.replace(from, to));
    expect(edits).toEqual([]);
    expect(beyond).toContain(words);
  });
});
