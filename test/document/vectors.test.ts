import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { adoptHost } from '../../domain/document/commands.ts';
import { loadDocument } from '../../domain/document/load.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import { readQubesXml } from '../../infrastructure/qubes-xml/read.ts';
import { qubesXml } from '../../projections/qubes-xml/qubes-xml.ts';

type Case = {
  readonly name: string;
  readonly base?: string;
  readonly input: string;
  readonly expected: { readonly error?: unknown };
  readonly resaved: string;
};

const casesOf = (file: string): readonly Case[] =>
  (JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), 'utf8')) as { cases: Case[] }).cases;

/** Stock writes tags in the order of a Python set, which differs from run to run. */
const withTagsInOrder = (xml: string): string =>
  xml.replace(/( *<tag name="[^\n]*\n)+/g, (block) => `${block.trimEnd().split('\n').sort().join('\n')}\n`);

/** Random in stock; the vectors hold whatever was drawn. */
const NEW_UUID = '11111111-1111-4111-8111-111111111111';

const drawn = (wanted: string, input: string): string =>
  wanted.replace(/(?<=<property name="uuid">)[0-9a-f-]{36}/g, (uuid) => (input.includes(uuid) ? uuid : NEW_UUID));

const through = (xml: string): Result<string, Failure> => {
  const document = readQubesXml(xml);
  if (!document.ok) return document;
  adoptHost.parse({ digest: '0'.repeat(64), document: document.value, firewalls: [] });
  const loaded = loadDocument(document.value, NEW_UUID);
  return loaded.ok ? qubesXml(loaded.value.host) : loaded;
};

const saved = casesOf('qubes-xml');
const edited = casesOf('qubes-xml-edited');
const textOf = new Map(saved.map(({ name, resaved }) => [name, resaved]));

describe('a document that stock saved is saved by us as stock would save it again', () => {
  test.each(saved)('$name', ({ input, resaved }) => {
    const got = through(input);
    expect(got.ok ? withTagsInOrder(got.value) : got.error).toBe(withTagsInOrder(resaved));
  });
});

describe('a document that somebody edited', () => {
  test.each(edited.filter(({ expected }) => !expected.error))('$name is accepted', (one) => {
    const wanted = one.resaved === 'same as base.resaved' ? textOf.get(one.base ?? '') : one.resaved;
    const got = through(one.input);
    expect(got.ok ? withTagsInOrder(got.value) : got.error).toBe(drawn(withTagsInOrder(wanted ?? ''), one.input));
  });

  test.each(edited.filter(({ expected }) => expected.error))('$name is refused', ({ input }) => {
    expect(through(input)).toMatchObject({ ok: false, error: { code: 'D_DOCUMENT_REFUSED' } });
  });
});
