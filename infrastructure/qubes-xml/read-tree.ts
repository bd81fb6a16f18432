import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { EXACT_PARSING } from '../xml/exact-parsing.ts';

/** An element as lxml shows it: `text` is what stands before its first child, null for nothing; other text is left out. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string | null;
};

/** A host of a thousand VMs needs about 2 MiB. */
export const LARGEST_DOCUMENT = 64 * 2 ** 20;
const DEEPEST = 32;

/** With order kept, a node is `{ tag: children, ':@': attributes }` or `{ '#text': text }`; nothing is interpreted. */
type Node = Readonly<Record<string, unknown>>;

const TEXT = '#text';
const CDATA = '#cdata';
const COMMENT = '#comment';
const ATTRIBUTES = ':@';

const PARSER_OPTIONS = {
  ...EXACT_PARSING,
  processEntities: false,
  commentPropName: COMMENT,
  cdataPropName: CDATA,
  maxNestedTags: DEEPEST,
} as const;

class NotWellFormed extends Error {}

const refuse = (problem: string): never => {
  throw new NotWellFormed(problem);
};

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

const characterOf = (reference: string): string => {
  const code = reference.startsWith('x') ? Number.parseInt(reference.slice(1), 16) : Number(reference);
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : '';
  return character === '' || FORBIDDEN.test(character) ? refuse(`&#${reference}; is no character of XML`) : character;
};

/** The five references of XML and numbers; a document type, which could bring others, is refused before. */
const decoded = (raw: string): string =>
  raw.replace(/&(?:#(x[0-9a-fA-F]{1,8}|[0-9]{1,8});|([A-Za-z_][\w.-]*);)?/g, (all, number?: string, name?: string) => {
    if (number !== undefined) return characterOf(number);
    const known = name !== undefined && Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
    return known ?? refuse(`${all} stands for nothing`);
  });

/** White space in an attribute is a blank unless it was written as a reference (XML 1.0, 3.3.3). */
const attributeValue = (raw: string): string =>
  raw.includes('<') ? refuse('an attribute holds "<"') : decoded(raw.replace(/[\t\n\r]/g, ' '));

const tagOf = (node: Node): string => Object.keys(node).find((key) => key !== ATTRIBUTES) ?? '';

const isElement = (node: Node): boolean => !/^[#?]/.test(tagOf(node));

/** The parser gives what stands in CDATA and comments as a list of texts. */
const joinedText = (parts: unknown): string =>
  (parts as readonly { readonly [TEXT]?: string }[]).map((part) => part[TEXT] ?? '').join('');

const textOf = (node: Node): string => {
  if (CDATA in node) return joinedText(node[CDATA]);
  const raw = String(node[TEXT]);
  return raw.includes(']]>') ? refuse('"]]>" stands in a text') : decoded(raw);
};

const commentOf = (node: Node): string => joinedText(node[COMMENT]);

/** What stands before the first element, comment or instruction. */
const leadingText = (nodes: readonly Node[]): string | null => {
  const first = nodes.findIndex((node) => !(TEXT in node || CDATA in node));
  const text = (first < 0 ? nodes : nodes.slice(0, first)).map(textOf).join('');
  return text === '' ? null : text;
};

const checkOthers = (nodes: readonly Node[]): void => {
  for (const node of nodes) {
    if (TEXT in node || CDATA in node) textOf(node);
    else if (COMMENT in node && /--|-$/.test(commentOf(node))) refuse('a comment holds "--"');
  }
};

const elementOf = (node: Node): XmlElement => {
  const name = tagOf(node);
  const nodes = node[name] as readonly Node[];
  checkOthers(nodes);
  const attributes = Object.entries((node[ATTRIBUTES] ?? {}) as Readonly<Record<string, string>>);
  return {
    name,
    attributes: Object.fromEntries(attributes.map(([key, value]) => [key, attributeValue(String(value))])),
    children: nodes.filter(isElement).map(elementOf),
    text: leadingText(nodes),
  };
};

const rootOf = (text: string): XmlElement => {
  // The validator outside this package would be one package more for the same code.
  // oxlint-disable-next-line typescript/no-deprecated
  const valid = XMLValidator.validate(text);
  if (valid !== true) refuse(`${valid.err.msg} (line ${valid.err.line})`);
  const nodes = new XMLParser(PARSER_OPTIONS).parse(text) as readonly Node[];
  checkOthers(nodes);
  const roots = nodes.filter(isElement);
  const [root] = roots;
  if (!root || roots.length !== 1) return refuse(`it has ${roots.length} root elements`);
  if (nodes.some((node) => (TEXT in node && textOf(node).trim() !== '') || CDATA in node))
    refuse('text stands outside of it');
  return elementOf(root);
};

const DOCTYPE = /<!(?!--|\[CDATA\[)/;

/** The markup without what comments and CDATA sections hold: there anything may stand. */
const markupOf = (text: string): string => text.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>/g, '');

const declared = (text: string): string | null =>
  /^<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)["']/.exec(text)?.[1]?.toLowerCase() ?? null;

const READABLE: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

const problemWith = (text: string): string | null => {
  if (text.length > LARGEST_DOCUMENT) return `it has ${text.length} characters`;
  const bad = FORBIDDEN.exec(text)?.[0].codePointAt(0);
  if (bad !== undefined) return `it holds the character U+${bad.toString(16).toUpperCase().padStart(4, '0')}`;
  const encoding = declared(text);
  if (encoding !== null && !READABLE.has(encoding)) return `it is encoded in ${JSON.stringify(encoding)}, not in UTF-8`;
  if (/.<\?xml[\s?]/s.test(text)) return 'its declaration does not come first';
  return DOCTYPE.test(markupOf(text)) ? 'it has a document type, which is refused on purpose' : null;
};

const refusal = (problem: string): Result<never, Failure> =>
  err(failure('D_DOCUMENT_REFUSED', `it is no XML that can be read: ${problem.slice(0, 300)}`));

/**
 * Reads an XML document as strictly as lxml does, with nothing but the five entities of XML, no document type and bounded
 * sizes. Line ends are LF, whatever they were. D_DOCUMENT_REFUSED for anything else.
 */
export const readTree = (given: string): Result<XmlElement, Failure> => {
  const text = given.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const problem = problemWith(text);
  if (problem !== null) return refusal(problem);
  try {
    return ok(rootOf(text));
  } catch (error) {
    if (error instanceof NotWellFormed) return refusal(error.message);
    // The parser throws plain errors about the document; there is nothing else in it that could fail.
    if (error instanceof Error) return refusal(error.message);
    throw error;
  }
};
