import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { element, joined, visible } from '../../../projections/markup.ts';
import { isWellFormed } from '../well-formed.ts';

describe('an element', () => {
  test('escapes text and attributes, and leaves markup of its own as it is', () => {
    const inner = element('b', {}, 'a < b & "c"');
    expect(element('p', { title: `it's <script>`, class: null }, 'x: ', inner, null, 3).markup).toBe(
      '<p title="it&#39;s &lt;script&gt;">x: <b>a &lt; b &amp; &quot;c&quot;</b>3</p>',
    );
  });

  test('spells out what would reorder, hide or end text', () => {
    expect(visible('a\u0000b\u001b[2J\u202egnp.exe\u200b\u2028\ud800')).toBe(
      'a\\x00b\\x1b[2J\\u{202e}gnp.exe\\u{200b}\\u{2028}\\u{d800}',
    );
  });

  test('is well-formed and gives back what is visible of any text, in attributes and between tags', () => {
    const parser = new XMLParser({ ignoreAttributes: false, trimValues: false, parseTagValue: false });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (text) => {
        const { markup } = joined([element('x', { of: text }, text)]);
        expect(isWellFormed(markup)).toBe(true);
        expect(markup.replace(/<\/?x[^>]*>/g, '')).not.toMatch(/[<>\p{C}]/u);
        const { x } = parser.parse(markup) as { readonly x: Readonly<Record<string, string>> };
        expect(x['@_of']).toBe(visible(text));
      }),
      { numRuns: 40 },
    );
  });
});
