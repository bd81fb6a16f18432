/** Text that is markup already. Everything else that goes into an element is escaped. */
export type Markup = { readonly markup: string };
type Child = Markup | string | number | null;
type Attributes = Readonly<Record<string, string | number | null>>;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const spelled = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
};

/**
 * Text as a reader may see it: control characters, line ends, lone surrogates and everything that reorders or hides text
 * are spelled out. Names and reasons in a log may hold anything, and not all of it may stand in XML at all.
 */
export const visible = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu, spelled);

const escaped = (text: string): string => visible(text).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** Only for what the program itself says, such as a style sheet. */
export const literally = (markup: string): Markup => ({ markup });

const written = (child: Child): string => {
  if (child === null) return '';
  return typeof child === 'object' ? child.markup : escaped(String(child));
};

/** One after the other, nothing between them. */
export const joined = (children: readonly Child[]): Markup => ({ markup: children.map(written).join('') });

/** An element that reads the same as HTML and as XML. Attributes with null are left out. */
export const element = (name: string, attributes: Attributes, ...children: readonly Child[]): Markup => {
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === null ? [] : [` ${key}="${escaped(String(value))}"`],
  );
  return { markup: `<${name}${given.join('')}>${children.map(written).join('')}</${name}>` };
};

/** An element that never has content: HTML knows no closing tag for these. */
export const empty = (name: string, attributes: Attributes): Markup => {
  const { markup } = element(name, attributes);
  return { markup: `${markup.slice(0, markup.length - `></${name}>`.length)}/>` };
};
