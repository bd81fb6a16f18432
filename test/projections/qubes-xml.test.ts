import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { forbiddenIn } from '../../domain/xml-characters.ts';
import { documentOf, escapeAttribute, escapeText } from '../../projections/qubes-xml/element.ts';
import { inGlobalOrder, inVmOrder } from '../../projections/qubes-xml/property-order.ts';
import { qubesXml } from '../../projections/qubes-xml/qubes-xml.ts';
import { hostOfDocument } from './document-host.ts';

type Case = { readonly name: string; readonly resaved: string };
const { cases } = JSON.parse(readFileSync(new URL('../vectors/qubes-xml.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

/** Tags are a set in the real code: their order there differs from run to run. */
const sortTags = (xml: string): string =>
  xml.replace(/( *<tag name="[^\n]*\n)+/g, (block) => `${block.trimEnd().split('\n').sort().join('\n')}\n`);

/** Devices are not part of the state yet. */
const withoutDevices = (xml: string): string =>
  xml
    .replace(/ *<devices class="[^"]*"\/>\n/g, '')
    .replace(/ *<devices [\s\S]*?<\/devices>\n/g, '')
    // The old driver `file` is none of ours; the test's reader takes it for file-reflink.
    .replaceAll('driver="file"', 'driver="file-reflink"');

describe('the document that stock qubesd would save', () => {
  test('there are nine documents of the real code to compare with', () => {
    expect(cases).toHaveLength(9);
  });
  for (const { name, resaved } of cases) {
    test(`${name}: byte for byte, but for the order of tags and for devices`, () => {
      const text = qubesXml(hostOfDocument(resaved));
      expect(text.ok && sortTags(text.value)).toBe(sortTags(withoutDevices(resaved)));
    });
  }
});

/** What has to come back: anything XML 1.0 can hold. */
const allowed = fc.string({ unit: 'binary' }).filter((text) => forbiddenIn(text) === null);
const FORBIDDEN = ['\u0000', '\u0007', '\u000b', '\u001f', '\ufffe', '\uffff', '\ud800', '\udc00x'];

const nothing = (): void => undefined;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** References as XML 1.0 has them. */
const decode = (text: string): string =>
  text.replace(/&(?:#([0-9]+)|(\w+));/g, (all, number: string | undefined, name: string) =>
    number === undefined ? (NAMED[name] ?? all) : String.fromCodePoint(Number(number)),
  );

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  entityDecoder: {
    decode,
    reset: nothing,
    setExternalEntities: nothing,
    addInputEntities: nothing,
    setXmlVersion: nothing,
  },
});

/** Written by us, read by somebody else's parser. */
const thereAndBack = (text: string): { readonly text: string; readonly attribute: string } => {
  const written = documentOf({ name: 'a', attributes: [['b', text]], content: `(${text})` });
  const { a } = parser.parse(written) as { readonly a: { readonly b: string; readonly '#text': string } };
  return { text: a['#text'].slice(1, -1), attribute: a.b };
};

/** A host whose one feature has this value. */
const hostWithFeature = (value: string) => {
  const host = hostOfDocument(cases[0]?.resaved ?? '');
  for (const [name, vm] of host.vms) host.vms.set(name, { ...vm, features: { greeting: value } });
  return host;
};

describe('escaping', () => {
  test('any allowed text comes back as it was, from text and from an attribute', () => {
    fc.assert(
      fc.property(allowed, (text) => {
        expect(thereAndBack(text)).toEqual({ text, attribute: text });
      }),
    );
  });

  test.each(['&amp;', '&#13;', '<a>', ']]>', '"\'', ' \t\n\r ', '\u0085\u00a0\u2028\u007f', '\u{1f600}'])(
    '%j comes back as it was',
    (text) => {
      expect(thereAndBack(text)).toEqual({ text, attribute: text });
    },
  );

  test('quotes, tabs and line breaks are escaped in attributes only, a CR everywhere', () => {
    expect(escapeText(`a"b'c\n\t\r<&>`)).toBe(`a"b'c\n\t&#13;&lt;&amp;&gt;`);
    expect(escapeAttribute(`a"b'c\n\t\r<&>`)).toBe(`a&quot;b'c&#10;&#9;&#13;&lt;&amp;&gt;`);
  });

  test('an empty text is not an empty element', () => {
    const leaf = (content: string | readonly []) => documentOf({ name: 'x', attributes: [], content });
    expect([leaf(''), leaf([])]).toEqual(['<x></x>\n', '<x/>\n']);
  });

  test.each(FORBIDDEN)('a character that XML cannot hold (%j) is refused, with the line it is in', (bad) => {
    const written = qubesXml(hostWithFeature(`x${bad}y`));
    expect(written).toMatchObject({ ok: false, error: { code: 'D_PROPERTY_INVALID' } });
    expect(written.ok ? '' : written.error.cause).toContain('greeting');
  });

  test('and everything else is written', () => {
    fc.assert(
      fc.property(allowed, (text) => {
        expect(qubesXml(hostWithFeature(text)).ok).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

type Property = { readonly name: string; readonly never_saved: boolean };
const { classes } = JSON.parse(readFileSync(new URL('../vectors/qubes-properties.json', import.meta.url), 'utf8')) as {
  readonly classes: Readonly<Record<string, readonly Property[]>>;
};

/** The names that the real code saves, in its order. */
const savedOf = (name: string): readonly string[] =>
  (classes[name] ?? []).filter((property) => !property.never_saved).map((property) => property.name);

describe('the order of properties', () => {
  test.each(['AdminVM', 'AppVM', 'DispVM', 'RemoteVM', 'StandaloneVM', 'TemplateVM'])("of %s is stock's", (name) => {
    const saved = savedOf(name);
    expect(saved.length).toBeGreaterThan(7);
    expect(inVmOrder([...saved].reverse())).toEqual(saved);
  });

  test("of the global ones is stock's", () => {
    const saved = savedOf('Qubes');
    expect(saved.length).toBeGreaterThan(15);
    expect(inGlobalOrder([...saved].reverse())).toEqual(saved);
  });
});

test('machines come by code point, as Python sorts: capitals first, a smiley after everything of the first plane', () => {
  const host = hostOfDocument(cases.find(({ name }) => name === 'typical')?.resaved ?? '');
  const [template] = [...host.vms.values()].filter((vm) => vm.class === 'TemplateVM');
  if (!template) throw new Error('the document has no template');
  host.vms.clear();
  for (const [index, name] of ['\u{1f600}', '\uffee', 'a', 'B', 'ab', 'dom0'].entries()) {
    const properties = { ...template.properties, qid: `${index}` };
    host.vms.set(name as never, {
      ...template,
      name: name as never,
      properties,
      class: name === 'dom0' ? 'AdminVM' : 'TemplateVM',
    });
  }
  const text = qubesXml(host);
  const names = [...(text.ok ? text.value : '').matchAll(/<property name="name">(.*)</g)].map((match) => match[1]);
  expect(names).toEqual(['B', 'a', 'ab', '\uffee', '\u{1f600}']);
});

test("the volume of a kernel is the kernel the machine boots: its own, its template's, the default, or none", () => {
  const host = hostOfDocument(cases.find(({ name }) => name === 'typical')?.resaved ?? '');
  const kernels = (): readonly (string | undefined)[] => {
    const text = qubesXml(host);
    return [...(text.ok ? text.value : '').matchAll(/name="kernel" pool="linux-kernel" vid="([^"]*)"/g)].map(
      ([, vid]) => vid,
    );
  };
  const set = (name: string, kernel: string): void => {
    const vm = host.vms.get(name as never);
    if (vm) host.vms.set(vm.name, { ...vm, properties: { ...vm.properties, kernel } });
  };
  expect(new Set(kernels())).toEqual(new Set(['6.6.48-1.fc37', '']));
  set('fedora-40-xfce', 'mine');
  const after = kernels();
  expect(after.filter((kernel) => kernel === 'mine').length).toBeGreaterThan(2);
  set('personal', 'own');
  expect(kernels().filter((kernel) => kernel === 'own')).toHaveLength(1);
});
