import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemIn } from '../../infrastructure/qubes-xml/check.ts';

const { cases } = JSON.parse(readFileSync(new URL('../vectors/qubes-xml.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly { readonly name: string; readonly resaved: string }[];
};

describe('a document is read back before it counts', () => {
  test.each(cases)('nothing is wrong with what the real code saved: $name', ({ resaved }) => {
    expect(problemIn(resaved)).toBeNull();
  });

  test.each([
    ['an element that is not closed', '<qubes><labels></qubes>\n'],
    ['half a document', '<qubes>\n  <labels>\n'],
    ['an attribute given twice', '<qubes><pool name="a" name="b"/></qubes>\n'],
    ['two roots', '<qubes/>\n<qubes/>\n'],
    ['another root', '<domains/>\n'],
    ['nothing', ''],
    ['a DOCTYPE', '<!DOCTYPE qubes [<!ENTITY a "b">]>\n<qubes/>\n'],
    ['a declaration', '<?xml version="1.0"?>\n<qubes/>\n'],
    ['a comment', '<qubes><!-- x --></qubes>\n'],
    ['a bare &', '<qubes><property name="a">b & c</property></qubes>\n'],
    ['a reference that we never write', '<qubes><property name="a">&apos;</property></qubes>\n'],
    ['a bare > in text', '<qubes><property name="a">]]></property></qubes>\n'],
    ['a bare < in an attribute', '<qubes><property name="<"/></qubes>\n'],
  ])('%s is found', (_, text) => {
    expect(problemIn(text)).not.toBeNull();
  });

  test('a document beyond all measure is not even parsed', () => {
    expect(problemIn(`<qubes>${' '.repeat(64 * 2 ** 20)}</qubes>`)).toMatch(/characters/);
  });
});
