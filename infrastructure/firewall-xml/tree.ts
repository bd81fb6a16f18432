import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { EXACT_PARSING } from '../xml/exact-parsing.ts';

export type Element = {
  readonly is: 'element';
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Node[];
};
/** `other`: a comment or a processing instruction, which stock's reader takes for an element in some places. */
export type Node =
  | Element
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'other'; readonly what: string };

/** Ten thousand rules need about 5 MiB. */
const LARGEST = 16 * 2 ** 20;

export const refused = (why: string): Result<never, Failure> =>
  err(failure('D_FIREWALL_XML_INVALID', `the firewall.xml cannot be read: ${why}`));

const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));/g;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

class NotXml extends Error {}

/** What XML 1.0 may hold. */
const CHARACTERS = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** The parser leaves references alone; there are the five and those by number, as no DOCTYPE can bring others. */
const decoded = (raw: string): string => {
  if (/&/.test(raw.replace(REFERENCE, ''))) throw new NotXml('it holds an "&" that begins nothing');
  const text = raw.replace(
    REFERENCE,
    (_all, name: string | undefined, digits: string | undefined, hex: string | undefined) =>
      name === undefined
        ? String.fromCodePoint(
            Math.min(digits === undefined ? Number.parseInt(hex ?? '', 16) : Number(digits), 0x10ffff),
          )
        : (NAMED[name] ?? ''),
  );
  if (!CHARACTERS.test(text)) throw new NotXml('it holds characters that XML cannot hold');
  return text;
};

/** With order kept, the parser gives `{ tag: children, ':@': attributes }`, `{ '#text': text }` and so on. */
type Raw = Readonly<Record<string, unknown>>;
const ATTRIBUTES = ':@';

const attributesOf = (raw: Raw): ReadonlyMap<string, string> => {
  const attributes = new Map<string, string>();
  for (const [name, value] of Object.entries((raw[ATTRIBUTES] ?? {}) as Raw)) {
    if (typeof value !== 'string') throw new NotXml(`attribute ${name} has no value`);
    if (value.includes('<')) throw new NotXml(`attribute ${name} holds a "<"`);
    if (name === 'xmlns' || (name.includes(':') && !name.startsWith('xml:'))) throw new NotXml('it uses namespaces');
    attributes.set(name, decoded(value.replace(/[\t\n]/g, ' ')));
  }
  return attributes;
};

const nodeOf = (raw: Raw): Node => {
  if ('#text' in raw) return { is: 'text', text: decoded(String(raw['#text'])) };
  if ('#cdata' in raw) {
    const [only] = raw['#cdata'] as readonly { readonly '#text': string }[];
    return { is: 'text', text: only?.['#text'] ?? '' };
  }
  const name = Object.keys(raw).find((key) => key !== ATTRIBUTES) ?? '';
  if (name === '#comment') return { is: 'other', what: 'comment' };
  if (name.startsWith('?')) return { is: 'other', what: 'processing instruction' };
  if (name.includes(':')) throw new NotXml('it uses namespaces');
  return { is: 'element', name, attributes: attributesOf(raw), children: (raw[name] as readonly Raw[]).map(nodeOf) };
};

const parsed = (text: string): readonly Node[] => {
  // The validator outside this package would be one package more for the same code.
  // oxlint-disable-next-line typescript/no-deprecated
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new NotXml(`${valid.err.msg} (line ${valid.err.line})`);
  const parser = new XMLParser({
    ...EXACT_PARSING,
    processEntities: false,
    commentPropName: '#comment',
    cdataPropName: '#cdata',
  });
  return (parser.parse(text) as readonly Raw[]).map(nodeOf);
};

/** `<!` begins a comment or CDATA; everything else it could begin declares something, above all entities. */
const DECLARATION = /<!(?!--|\[CDATA\[)/;
const QUOTED = `(?:"[^"<&]*"|'[^'<&]*')`;
const PROLOG = new RegExp(
  `^<\\?xml\\s+version\\s*=\\s*${QUOTED}(\\s+encoding\\s*=\\s*(?:"utf-8"|'utf-8'|"us-ascii"|'us-ascii'))?(\\s+standalone\\s*=\\s*${QUOTED})?\\s*\\?>`,
  'i',
);
/** The parser would take `</rule address="1.2.3.4"/>` for an end and lose a rule. */
const ODD_END = /<\/(?![^\s<>/"'=]+\s*>)/;

/** What the parser and its validator let through and XML does not. */
const strictly = (text: string): void => {
  if (DECLARATION.test(text)) throw new NotXml('it holds a DOCTYPE or another declaration');
  if (/^<\?xml\s/.test(text) && !PROLOG.test(text))
    throw new NotXml('its first line declares something else than UTF-8');
  if (ODD_END.test(text)) throw new NotXml('an end tag holds more than a name');
  if (!/^\s*</.test(text) || !/>\s*$/.test(text)) throw new NotXml('it has text around its root');
};

const rootOf = (text: string): Element => {
  strictly(text);
  const nodes = parsed(text.replace(/\r\n?/g, '\n'));
  const roots = nodes.flatMap((node) => (node.is === 'element' ? [node] : []));
  if (nodes.some((node) => node.is === 'text' && node.text.trim() !== ''))
    throw new NotXml('it has text around its root');
  const [root] = roots;
  if (!root || roots.length > 1) throw new NotXml('it has not exactly one root');
  return root;
};

/**
 * The tree of a document that somebody may have edited: well-formed UTF-8 without DOCTYPE, entities and namespaces, at most
 * 16 MiB. D_FIREWALL_XML_INVALID for everything else.
 */
export const xmlTree = (bytes: Uint8Array): Result<Element, Failure> => {
  if (bytes.length > LARGEST) return refused(`it has ${bytes.length} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused('it is not UTF-8');
  }
  try {
    return ok(rootOf(text));
  } catch (error) {
    // The parser throws plain errors for what its validator let through.
    return refused(error instanceof Error ? error.message : String(error));
  }
};
