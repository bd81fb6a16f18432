import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** A host of a thousand VMs needs about 2 MiB. */
const LARGEST = 64 * 2 ** 20;

/** What the writer escapes with. Any other reference, or a bare `&`, `<` or `>`, is a hole in the escaping. */
const UNESCAPED = /&(?!(?:amp|lt|gt|quot|#9|#10|#13);)|[<>]/;

/** With order kept, a node is `{ tag: children, ':@': attributes }` or `{ '#text': text }`; nothing is interpreted. */
const parserOf = (): XMLParser =>
  new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    processEntities: false,
  });

const holeIn = (value: unknown): string | null => {
  if (typeof value === 'string') return UNESCAPED.test(value) ? value : null;
  if (value === null || typeof value !== 'object') return null;
  for (const item of Object.values(value)) {
    const hole = holeIn(item);
    if (hole !== null) return hole;
  }
  return null;
};

const rootsOf = (parsed: unknown): readonly string[] =>
  Array.isArray(parsed)
    ? parsed.flatMap((node: object) => Object.keys(node)).filter((name) => name !== ':@' && name !== '#text')
    : [];

/**
 * Reads a qubes.xml back with a parser that is not ours. Gives what is wrong with it, null when nothing is. Declarations,
 * comments and DOCTYPE are refused: what is written here has none, and a DOCTYPE could bring entities.
 */
export const problemIn = (text: string): string | null => {
  if (text.length > LARGEST) return `it has ${text.length} characters`;
  if (/<[!?]/.test(text)) return 'it holds a declaration or comment';
  const valid = XMLValidator.validate(text);
  if (valid !== true) return `line ${valid.err.line}: ${valid.err.msg}`;
  const parsed: unknown = parserOf().parse(text);
  const roots = rootsOf(parsed);
  if (roots.length !== 1 || roots[0] !== 'qubes') return `its root is ${roots.join(', ')}`;
  const hole = holeIn(parsed);
  return hole === null ? null : `${JSON.stringify(hole.slice(0, 100))} is not escaped`;
};
