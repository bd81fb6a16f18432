/** An element with other elements in it, with text, or empty. Empty text is not the same: `<x></x>` against `<x/>`. */
export type Element = {
  readonly name: string;
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly content: readonly Element[] | string;
};

const IN_TEXT: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };
const IN_ATTRIBUTES: Readonly<Record<string, string>> = { ...IN_TEXT, '"': '&quot;', '\n': '&#10;', '\t': '&#9;' };

/** Text as lxml writes it between tags. A raw CR would come back as LF, whatever the document says. */
export const escapeText = (text: string): string =>
  text.replace(/[&<>\r]/g, (character) => IN_TEXT[character] ?? character);

/** Text as lxml writes it in an attribute, where a raw line break or tab would come back as a blank. */
export const escapeAttribute = (text: string): string =>
  text.replace(/[&<>"\r\n\t]/g, (character) => IN_ATTRIBUTES[character] ?? character);

const openTag = ({ name, attributes }: Element): string =>
  [name, ...attributes.map(([key, value]) => `${key}="${escapeAttribute(value)}"`)].join(' ');

const write = (element: Element, indent: string, lines: string[]): void => {
  const { name, content } = element;
  const tag = `${indent}<${openTag(element)}`;
  if (typeof content === 'string') {
    lines.push(`${tag}>${escapeText(content)}</${name}>`);
  } else if (content.length === 0) {
    lines.push(`${tag}/>`);
  } else {
    lines.push(`${tag}>`);
    for (const child of content) write(child, `${indent}  `, lines);
    lines.push(`${indent}</${name}>`);
  }
};

/** A document as lxml's pretty printer writes it: two blanks a level, LF, no declaration. */
export const documentOf = (root: Element): string => {
  const lines: string[] = [];
  write(root, '', lines);
  return `${lines.join('\n')}\n`;
};
