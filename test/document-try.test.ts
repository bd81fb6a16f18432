import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadDocument } from '../domain/document/load.ts';
import { adoptHost } from '../domain/document/commands.ts';
import { readQubesXml } from '../infrastructure/qubes-xml/read.ts';
import { qubesXml } from '../projections/qubes-xml/qubes-xml.ts';
const sortTags = (xml: string): string =>
  xml.replace(/( *<tag name="[^\n]*\n)+/g, (block) => `${block.trimEnd().split('\n').sort().join('\n')}\n`);
const load = (f: string) => JSON.parse(readFileSync(new URL(`vectors/${f}.json`, import.meta.url), 'utf8')).cases;
const through = (xml: string) => {
  const d = readQubesXml(xml);
  if (!d.ok) return d;
  adoptHost.parse({ digest: '0'.repeat(64), document: d.value });
  const h = loadDocument(d.value, '11111111-1111-4111-8111-111111111111');
  if (!h.ok) return h;
  return qubesXml(h.value.host);
};
const bases = new Map(load('qubes-xml').map((c: any) => [c.name, c.resaved]));
for (const c of [...load('qubes-xml'), ...load('qubes-xml-edited')])
  test(c.name, () => {
    const got = through(c.input);
    if (c.expected.error) return void expect(got).toMatchObject({ ok: false });
    if (!got.ok) throw new Error(JSON.stringify(got.error));
    const want = c.resaved === 'same as base.resaved' ? bases.get(c.base) : c.resaved;
    expect(sortTags(got.value)).toBe(sortTags(want));
  });
