import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import { dropsText } from './rules.ts';
import { isOldRules } from './settings.ts';
import { REDACTED } from './words.ts';

type Fields = { readonly [key: string]: Json | undefined };

const field = (name: string, value: Json | undefined): Json | undefined => {
  if (typeof value === 'string') return dropsText(name, value) ? REDACTED : value;
  if (name === 'keys' && Array.isArray(value)) {
    // Deciders sort keys by their names, and those are others here.
    return value.map((one: Json) => keyChange(one)).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  }
  return comparable(value ?? null);
};

const keyChange = (change: Json): Json => {
  const { write } = change as Fields;
  return typeof write === 'string' && isOldRules(write) ? { write, value: '' } : change;
};

/** What of an event a redacted log can be held against: everything but texts, and the order of keys that go by their names. */
export const comparable = (value: Json): Json => {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((one: Json) => comparable(one));
  return Object.fromEntries(Object.entries(value as Fields).map(([name, one]) => [name, field(name, one)]));
};
