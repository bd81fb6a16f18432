import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';
import {
  checkTogether,
  invalid,
  parseAction,
  parseComment,
  parseDestination,
  parseExpire,
  parseIcmpType,
  parsePorts,
  parseProto,
  parseSpecial,
} from './options.ts';
import type { Rule } from './rule.ts';

type Draft = { -readonly [K in keyof Rule]: Rule[K] | (K extends 'action' ? null : never) };

const EMPTY: Draft = {
  action: null,
  proto: null,
  destination: null,
  ports: null,
  icmpType: null,
  special: null,
  expire: null,
  comment: null,
};

/** The draft with one more field, or what is wrong with its value. */
const put = <K extends keyof Draft>(draft: Draft, field: K, parsed: Result<NonNullable<Draft[K]>, Failure>) => {
  if (!parsed.ok) return parsed;
  draft[field] = parsed.value;
  return ok(draft);
};

type Setter = (draft: Draft, value: string) => Result<Draft, Failure>;

/** The options by the names stock's code gives them, which are also those of firewall.xml version 2. */
const OPTIONS: Readonly<Record<string, { readonly field: keyof Draft; readonly set: Setter }>> = {
  action: { field: 'action', set: (draft, value) => put(draft, 'action', parseAction(value)) },
  proto: { field: 'proto', set: (draft, value) => put(draft, 'proto', parseProto(value)) },
  dsthost: { field: 'destination', set: (draft, value) => put(draft, 'destination', parseDestination(value)) },
  dstports: { field: 'ports', set: (draft, value) => put(draft, 'ports', parsePorts(value)) },
  icmptype: { field: 'icmpType', set: (draft, value) => put(draft, 'icmpType', parseIcmpType(value)) },
  specialtarget: { field: 'special', set: (draft, value) => put(draft, 'special', parseSpecial(value)) },
  expire: { field: 'expire', set: (draft, value) => put(draft, 'expire', parseExpire(value)) },
  comment: { field: 'comment', set: (draft, value) => put(draft, 'comment', parseComment(value)) },
};

/** All three mean dsthost; the family follows from the value, so dst4=example.com is a host name (spec: B.5). */
const ALIASES: Readonly<Record<string, string>> = { dst4: 'dsthost', dst6: 'dsthost', dstname: 'dsthost' };

const optionOf = (name: string) => (Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined);

const finished = (draft: Draft): Result<Rule, Failure> => {
  const { action } = draft;
  if (action === null)
    return err(failure('D_FIREWALL_RULE_INVALID', 'action is missing: action=accept or action=drop'));
  return checkTogether({ ...draft, action });
};

/**
 * A rule from options by name, as firewall.xml has them: the last of two with one name counts. D_FIREWALL_RULE_INVALID
 * names the option that cannot be.
 */
export const ruleFromOptions = (
  options: readonly (readonly [name: string, value: string])[],
): Result<Rule, Failure> => {
  const draft = { ...EMPTY };
  for (const [name, value] of options) {
    const option = optionOf(name);
    if (!option) return invalid(name, value, 'there is no such option');
    const set = option.set(draft, value);
    if (!set.ok) return set;
  }
  return finished(draft);
};

/** What Python's str.strip() takes away. */
const BLANK = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Not by a pattern with `$`, which would take quadratic time on a line of blanks. */
const stripped = (text: string): string => {
  let from = 0;
  let to = text.length;
  while (from < to && BLANK.test(text.charAt(from))) from++;
  while (to > from && BLANK.test(text.charAt(to - 1))) to--;
  return text.slice(from, to);
};

const COMMENT = 'comment=';

/** As long as the Admin API takes a whole list; a longer line is refused before anything looks at it. */
export const LONGEST_LINE = 65_536;

const oneOption = (draft: Draft, piece: string): Result<Draft, Failure> => {
  const equals = piece.indexOf('=');
  if (equals < 0) {
    const why = piece === '' ? 'options stand one blank apart' : 'an option is written name=value';
    return err(failure('D_FIREWALL_RULE_INVALID', `${JSON.stringify(piece.slice(0, 80))}: ${why}`));
  }
  const given = piece.slice(0, equals);
  const value = piece.slice(equals + 1);
  const option = optionOf(Object.hasOwn(ALIASES, given) ? (ALIASES[given] ?? given) : given);
  if (!option) return invalid(given, value, 'there is no such option');
  if (draft[option.field] !== null) return invalid(given, value, 'is given twice');
  return option.set(draft, value);
};

/**
 * A rule from one line of the Admin API: `action=accept dst4=10.0.0.0/8 proto=tcp dstports=443 comment=to the end`, options
 * in any order, one blank apart (spec: B.5). D_FIREWALL_RULE_INVALID names the option and its value.
 */
export const parseRule = (line: string): Result<Rule, Failure> => {
  if (line.length > LONGEST_LINE) {
    return err(
      failure('D_FIREWALL_RULE_INVALID', `the line has ${line.length} characters, at most ${LONGEST_LINE} are taken`),
    );
  }
  const at = line.indexOf(COMMENT);
  const options = stripped(at < 0 ? line : line.slice(0, at));
  const comment = at < 0 ? '' : line.slice(at + COMMENT.length);
  const draft = { ...EMPTY };
  for (const piece of options.split(' ')) {
    const put = oneOption(draft, piece);
    if (!put.ok) return put;
  }
  if (comment !== '') {
    const put = OPTIONS['comment']?.set(draft, comment);
    if (put && !put.ok) return put;
  }
  return finished(draft);
};
