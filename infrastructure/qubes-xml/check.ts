import { XMLParser } from 'fast-xml-parser';
import { EXACT_PARSING } from '../xml/exact-parsing.ts';

/** A host of a thousand VMs needs about 2 MiB. */
const LARGEST = 64 * 2 ** 20;

/** What the writer escapes with. Any other reference, or a bare `&`, `<` or `>`, is a hole in the escaping. */
const UNESCAPED = /&(?!(?:amp|lt|gt|quot|#9|#10|#13);)|[<>]/;

/** With order kept, a node is `{ tag: children, ':@': attributes }` or `{ '#text': text }`; nothing is interpreted. */
type Node = Readonly<Record<string, unknown>>;

const parse = (text: string): readonly Node[] =>
  new XMLParser({
    ...EXACT_PARSING,
    processEntities: false,
  }).parse(text) as readonly Node[];

const TEXT = '#text';
const ATTRIBUTES = ':@';

const rawValues = (node: Node): readonly string[] =>
  TEXT in node ? [String(node[TEXT])] : Object.values((node[ATTRIBUTES] ?? {}) as object).map(String);

const childrenOf = (node: Node): readonly Node[] =>
  Object.entries(node).flatMap(([key, value]) =>
    key === ATTRIBUTES || key === TEXT ? [] : (value as readonly Node[]),
  );

const holeIn = (nodes: readonly Node[]): string | null => {
  for (const node of nodes) {
    const hole = rawValues(node).find((value) => UNESCAPED.test(value)) ?? holeIn(childrenOf(node));
    if (hole !== null) return hole;
  }
  return null;
};

/** A node as it must have stood in the document for the parser to see it so. */
const asWritten = (node: Node): string => {
  if (TEXT in node) return String(node[TEXT]);
  const name = Object.keys(node).find((key) => key !== ATTRIBUTES) ?? '';
  const attributes = Object.entries((node[ATTRIBUTES] ?? {}) as object).map(([key, value]) => ` ${key}="${value}"`);
  const inside = childrenOf(node).map(asWritten).join('');
  return inside === '' ? `<${name}${attributes.join('')}/>` : `<${name}${attributes.join('')}>${inside}</${name}>`;
};

/** The parser does not tell `<x></x>` from `<x/>`. */
const withoutEmptyText = (text: string): string => text.replace(/<([^<>/][^<>]*)><\/[^<>]*>/g, '<$1/>');

const problemOf = (nodes: readonly Node[], text: string): string | null => {
  const roots = nodes.filter((node) => !(TEXT in node));
  const [root] = roots;
  if (roots.length !== 1 || !root || !('qubes' in root)) return 'its root is not one element qubes';
  const hole = holeIn(nodes);
  if (hole !== null) return `${JSON.stringify(hole.slice(0, 100))} is not escaped`;
  return asWritten(root) === withoutEmptyText(text.trim()) ? null : 'it reads back as another document';
};

/**
 * Reads a qubes.xml with a parser that is not ours. Gives what is wrong with it, null when nothing is: the parser must see
 * exactly what stands there, with every special character escaped. The parser forgives a missing end tag or an attribute
 * given twice, but then the document it saw is not the one that was written. A DOCTYPE, which could bring entities,
 * declarations and comments are refused: what is written here has none.
 */
export const problemIn = (text: string): string | null => {
  if (text.length > LARGEST) return `it has ${text.length} characters`;
  if (/<[!?]/.test(text)) return 'it holds a declaration or comment';
  let nodes: readonly Node[];
  try {
    nodes = parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return problemOf(nodes, text);
};
