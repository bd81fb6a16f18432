import { documentIn } from './document.ts';
import { type Fields, RULES, text } from './rules.ts';
import { dbPath, dbValue, featureName, propertyName, propertyValue, ruleLine } from './settings.ts';
import { REDACTED, type Redactor } from './words.ts';

type Value = unknown;

const entriesOf = (fields: Fields, change: (name: string, value: Value) => readonly [string, Value]): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => change(name, value)));

/** Objects whose keys are names themselves, and lists with an order of their own. */
const RECORDS: Readonly<Record<string, (one: Redactor, value: Fields) => Value>> = {
  properties: ({ words }, fields) =>
    entriesOf(fields, (name, value) => [propertyName(words, name), propertyValue(words, name, String(value))]),
  features: ({ words }, fields) =>
    entriesOf(fields, (name, value) => [featureName(words, name), value === '' ? '' : words.text(String(value))]),
  pools: ({ words }, fields) => entriesOf(fields, (name, value) => [words.volume(name), words.pool(String(value))]),
  volumes: (one, fields) =>
    entriesOf(fields, (name, value) => [one.words.volume(name), redacted(one, value, 'volumes', '')]),
  images: (one, fields) =>
    entriesOf(fields, (name, value) => [one.words.volume(name), redacted(one, value, 'images', '')]),
  devices: (one, fields) =>
    entriesOf(fields, (name, value) => [one.words.text(name), redacted(one, value, 'devices', '')]),
  data: ({ words }, fields) =>
    entriesOf(fields, (name, value) => [name.startsWith('/') ? words.path(name) : words.disk(name), value]),
  document: documentIn,
  written: ({ words }, fields) => entriesOf(fields, (name, value) => [name, words.text(String(value))]),
};

/** Programs, and options without a value: what a step did, not to what. */
const TOOL_WORDS: ReadonlySet<unknown> = new Set(
  'sudo|lvm|lvs|vgs|lvcreate|lvremove|lvrename|lvchange|lvextend|lvresize|dmsetup|blkdiscard|dd|cp|sync|-s|-n|-y|-an|-ay|-kn|-K|-T|-V|--|--force|--addtag|--deltag|--config|--thinpool|--name|--snapshot|--yes|--select|-S'.split(
    '|',
  ),
);
const toolWord = (word: unknown): unknown => (TOOL_WORDS.has(word) ? word : REDACTED);

type Pairs = readonly (readonly [string, string])[];
const LISTS: Readonly<Record<string, (one: Redactor, value: readonly Value[]) => Value>> = {
  entries: ({ words }, list) => (list as Pairs).map(([number, line]) => [number, ruleLine(words, line)]),
  argv: (_, list) => list.map((call) => (Array.isArray(call) ? call.map(toolWord) : REDACTED)),
  options: ({ words }, list) => (list as Pairs).map(([name, value]) => [words.text(name), words.text(value)]),
  keys: ({ words }, list) =>
    (list as readonly Fields[]).map((change) => {
      if ('remove' in change) return { remove: dbPath(words, String(change['remove'])) };
      const { write, value } = change;
      const shown = typeof value === 'string' ? dbValue(words, String(write), value) : value;
      return { write: dbPath(words, String(write)), value: shown };
    }),
};

const isObject = (value: Value): value is Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Entries of QubesDB are pairs; the `before` and `after` of a publication hold those. */
const isEntries = (value: readonly Value[]): boolean => value.length > 0 && value.every(Array.isArray);

const fieldsOf = (one: Redactor, fields: Fields, scope: string): Fields => {
  if (typeof fields['vid'] === 'string' && typeof fields['key'] === 'string')
    one.storage.learn(fields['vid'], fields['key']);
  const own = typeof fields['type'] === 'string' ? fields['type'] : scope;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, redactedField(one, value, { name, fields, scope: own })]),
  );
};

type Where = { readonly name: string; readonly fields: Fields; readonly scope: string };

const redactedField = (one: Redactor, value: Value, { name, fields, scope }: Where): Value => {
  // Text in a text, because the order in it counts.
  if (name === 'wanted' && typeof value === 'string') return JSON.stringify(redacted(one, JSON.parse(value), name, ''));
  if (typeof value === 'string') return (RULES[name] ?? text)(one, value, fields, scope);
  if (Array.isArray(value)) {
    const list = LISTS[name];
    if (list && value.length > 0) return list(one, value);
    if ((name === 'before' || name === 'after') && isEntries(value)) return LISTS['entries']?.(one, value);
    return value.map((item: Value) =>
      typeof item === 'string' ? (RULES[name] ?? text)(one, item, fields, scope) : redacted(one, item, name, name),
    );
  }
  if (!isObject(value)) return value;
  return (RECORDS[name] ?? ((_, object) => fieldsOf(one, object, name)))(one, value);
};

/**
 * Any value of the log with every name replaced and every free text dropped. What stays are numbers, truth values, times, and
 * words of domtrail's own. `scope` tells what a `name` in it names.
 */
export const redacted = (one: Redactor, value: Value, scope: string, listed: string): Value => {
  if (typeof value === 'string') return (RULES[listed] ?? text)(one, value, {}, scope);
  if (Array.isArray(value)) return value.map((item: Value) => redacted(one, item, scope, listed));
  return isObject(value) ? fieldsOf(one, value, scope) : value;
};
