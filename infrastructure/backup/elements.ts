import { XMLParser } from 'fast-xml-parser';
import { EXACT_PARSING } from '../xml/exact-parsing.ts';

/** An element of the qubes.xml in a backup. */
export type Element = {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
};

const ATTRIBUTES = ':@';
const TEXT = '#text';

const elementsOf = (nodes: readonly Readonly<Record<string, unknown>>[]): readonly Element[] =>
  nodes.flatMap((node) => {
    const tag = Object.keys(node).find((key) => key !== ATTRIBUTES);
    if (tag === undefined || tag === TEXT || tag.startsWith('?')) return [];
    const inside = node[tag] as readonly Readonly<Record<string, unknown>>[];
    return [
      {
        tag,
        attributes: (node[ATTRIBUTES] ?? {}) as Readonly<Record<string, string>>,
        text: inside.map((child) => (TEXT in child ? String(child[TEXT]) : '')).join(''),
        children: elementsOf(inside),
      },
    ];
  });

/** The root element of a document; throws where it is none. Declarations, and with them entities, are not let through. */
export const rootOf = (text: string): Element => {
  if (/<!/.test(text.replace(/<!--[\s\S]*?-->/g, ''))) throw new Error('it holds a declaration');
  const parser = new XMLParser(EXACT_PARSING);
  const [root] = elementsOf(parser.parse(text) as readonly Readonly<Record<string, unknown>>[]);
  if (!root) throw new Error('it is empty');
  return root;
};

/** What stands inside the elements of that name. */
export const child = ({ children }: Element, tag: string): readonly Element[] =>
  children.filter((one) => one.tag === tag).flatMap((one) => one.children);

/** The text of the last entry with a name, as stock reads it. */
export const named = (elements: readonly Element[], name: string): string | undefined =>
  elements.findLast(({ attributes }) => attributes['name'] === name)?.text;
