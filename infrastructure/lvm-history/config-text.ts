import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

type Scalar = string | number;
export type Section = ReadonlyMap<string, Entry>;
/** What a key of LVM's configuration language stands for. */
export type Entry = Scalar | readonly Scalar[] | Section;

/** The text of a volume group with 10,000 LVs has 5 MB. */
export const MOST_TEXT = 64 * 2 ** 20;
/** LVM nests five deep. */
const DEEPEST = 16;

type Token =
  | { readonly is: 'word' | 'string'; readonly text: string }
  | { readonly is: '{' | '}' | '=' | '[' | ']' | ',' | 'end' };
type Cursor = { readonly text: string; at: number };
/** What is wrong and where, as an offset in UTF-16 code units. */
type Wrong = { readonly wrong: string; readonly at: number };

const BLANK = /\s+/y;
const COMMENT = /#[^\n]*/y;
const WORD = /[A-Za-z0-9_.+\-/@!:&$%]+/y;
const SIGN = /[{}=[\],]/y;
const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?$/;

const isWrong = (value: object): value is Wrong => 'wrong' in value;

/** One sticky expression at a time: none of them can go back and forth over a long text. */
const taken = (cursor: Cursor, pattern: RegExp): string | null => {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? null;
  cursor.at += found?.length ?? 0;
  return found;
};

/** The rest of a string after its first quote; LVM escapes quotes and backslashes. */
const stringToken = (cursor: Cursor): Token | Wrong => {
  const begin = cursor.at - 1;
  let text = '';
  for (let from = cursor.at; cursor.at < cursor.text.length; cursor.at++) {
    const char = cursor.text[cursor.at];
    if (char !== '"' && char !== '\\') continue;
    text += cursor.text.slice(from, cursor.at);
    if (char === '"') {
      cursor.at++;
      return { is: 'string', text };
    }
    cursor.at++;
    from = cursor.at;
  }
  return { wrong: 'a string does not end', at: begin };
};

const nextToken = (cursor: Cursor): Token | Wrong => {
  while (taken(cursor, BLANK) ?? taken(cursor, COMMENT)) {}
  if (cursor.at >= cursor.text.length) return { is: 'end' };
  const word = taken(cursor, WORD);
  if (word !== null) return { is: 'word', text: word };
  const sign = taken(cursor, SIGN) as '{' | '}' | '=' | '[' | ']' | ',' | null;
  if (sign !== null) return { is: sign };
  if (cursor.text[cursor.at] !== '"') return { wrong: 'a character that has no meaning here', at: cursor.at };
  cursor.at++;
  return stringToken(cursor);
};

const scalarOf = (token: Token, at: number): { readonly value: Scalar } | Wrong => {
  if (token.is === 'string') return { value: token.text };
  if (token.is === 'word' && NUMBER.test(token.text)) return { value: Number(token.text) };
  return { wrong: 'neither a number nor a string', at };
};

/** The rest of a list after its bracket. */
const list = (cursor: Cursor): { readonly value: readonly Scalar[] } | Wrong => {
  const values: Scalar[] = [];
  for (;;) {
    const { at } = cursor;
    const token = nextToken(cursor);
    if (isWrong(token)) return token;
    if (token.is === ']' && values.length === 0) return { value: values };
    const scalar = scalarOf(token, at);
    if (isWrong(scalar)) return scalar;
    values.push(scalar.value);
    const after = nextToken(cursor);
    if (isWrong(after)) return after;
    if (after.is === ']') return { value: values };
    if (after.is !== ',') return { wrong: 'a list does not end', at };
  }
};

/** What follows a key: `= value`, `= [values]` or `{ section }`. */
const entry = (cursor: Cursor, depth: number): { readonly value: Entry } | Wrong => {
  const { at } = cursor;
  const sign = nextToken(cursor);
  if (isWrong(sign)) return sign;
  if (sign.is === '{') {
    if (depth === DEEPEST) return { wrong: `sections nested deeper than ${DEEPEST}`, at };
    const inner = section(cursor, '}', depth + 1);
    return isWrong(inner) ? inner : { value: inner };
  }
  if (sign.is !== '=') return { wrong: 'neither a value nor a section', at };
  const token = nextToken(cursor);
  if (isWrong(token)) return token;
  return token.is === '[' ? list(cursor) : scalarOf(token, at);
};

const section = (cursor: Cursor, closing: '}' | 'end', depth: number): Section | Wrong => {
  const entries = new Map<string, Entry>();
  for (;;) {
    const { at } = cursor;
    const key = nextToken(cursor);
    if (isWrong(key)) return key;
    if (key.is === closing) return entries;
    if (key.is !== 'word' && key.is !== 'string') return { wrong: 'no key', at };
    if (entries.has(key.text)) return { wrong: `${JSON.stringify(key.text)} is there twice`, at: cursor.at };
    const found = entry(cursor, depth);
    if (isWrong(found)) return found;
    entries.set(key.text, found.value);
  }
};

/**
 * Reads LVM's configuration language, in which it writes what a volume group is (lvm.conf(5), libdm's config parser).
 * Stricter than LVM: a key that is there twice is refused. D_BAD_INPUT with the line for what is not of this form.
 */
export const parseConfigText = (text: string): Result<Section, Failure> => {
  if (text.length > MOST_TEXT) return err(failure('D_BAD_INPUT', `it has more than ${MOST_TEXT} characters`));
  const found = section({ text, at: 0 }, 'end', 0);
  if (!isWrong(found)) return ok(found);
  const line = text.slice(0, found.at).split('\n').length;
  return err(failure('D_BAD_INPUT', `line ${line}: ${found.wrong}`));
};
