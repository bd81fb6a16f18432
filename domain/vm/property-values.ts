import { canonicalIp4, canonicalIp6 } from './ip-address.ts';
import { byCodePoint } from './order.ts';

/** A value as qubes.xml writes it, or the end of a sentence that begins with the property's name. */
export type Encoded = { readonly text: string } | { readonly rule: string };

/** `null` is Python's None: what stock's loader gives a setter for an empty element. */
type Encode = (value: string | null) => Encoded;

const refuse = (rule: string): Encoded => ({ rule });
const take = (text: string): Encoded => ({ text });

/** What `int()` of Python takes from text in ASCII, exact in a JavaScript number; null otherwise. */
export const parseWhole = (text: string): number | null => {
  if (!/^\s*[+-]?[0-9]+(_[0-9]+)*\s*$/.test(text)) return null;
  const value = Number(text.replaceAll('_', ''));
  return Number.isSafeInteger(value) ? value + 0 : null;
};

const whole =
  (least: number, most: number, rule: string): Encode =>
  (value) => {
    const number = value === null ? null : parseWhole(value);
    return number === null || number < least || number > most ? refuse(rule) : take(`${number}`);
  };

const BOOLS: Readonly<Record<string, string>> = {
  '0': 'False',
  no: 'False',
  false: 'False',
  off: 'False',
  '1': 'True',
  yes: 'True',
  true: 'True',
  on: 'True',
};

/** `True` or `False` for what stock takes for one of them, null for anything else. None is false. */
export const parseBool = (value: string | null): 'True' | 'False' | null => {
  const word = value?.toLowerCase() ?? 'no';
  return Object.hasOwn(BOOLS, word) ? (BOOLS[word] as 'True' | 'False') : null;
};

const bool: Encode = (value) => {
  const text = parseBool(value);
  return text === null ? refuse('takes True or False') : take(text);
};

const matching =
  (like: RegExp, rule: string): Encode =>
  (value) =>
    value !== null && like.test(value) ? take(value) : refuse(rule);

/** Stock turns None into the text "None" where a property is plain text. */
const NONE = 'None';

const user: Encode = (value) =>
  /^[A-Za-z0-9_+,.-]*$/.test(value ?? NONE) ? take(value ?? NONE) : refuse('takes a user name');

const kernel: Encode = (value) =>
  value?.includes('/') ? refuse('takes the name of a kernel, without "/"') : take(value ?? '');

const MOST_KERNELOPTS = 512;
const kernelopts: Encode = (value) =>
  Array.from(value ?? '').length > MOST_KERNELOPTS
    ? refuse(`takes at most ${MOST_KERNELOPTS} characters`)
    : take(value ?? '');

const mac: Encode = (value) =>
  matching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, 'takes an address like 00:16:3e:5e:6c:00')(value?.toLowerCase() ?? null);

const virtMode: Encode = (value) => matching(/^(hvm|pv|pvh)$/, 'takes hvm, pv or pvh')(value?.toLowerCase() ?? null);

const address =
  (canonical: (text: string) => string | null, rule: string): Encode =>
  (value) => {
    const text = value === null ? null : canonical(value);
    return text === null ? refuse(rule) : take(text);
  };

/** Python's uuid.UUID: braces, `urn:uuid:` and hyphens anywhere are forgiven. */
const uuid: Encode = (value) => {
  const hex = (value ?? '')
    .replaceAll('urn:', '')
    .replaceAll('uuid:', '')
    .replace(/^[{}]+|[{}]+$/g, '')
    .replaceAll('-', '')
    .toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(hex)) return refuse('takes a UUID');
  return take(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
};

/** Seven characters for each interface; sorted and each once, as stock saves them. */
const denied: Encode = (value) => {
  const codes = (value ?? '').match(/.{7}/gsu) ?? [];
  const fits = codes.join('') === (value ?? '') && codes.every((code) => /^[bump*][0-9a-f*]{6}$/.test(code));
  return fits
    ? take([...new Set(codes)].sort(byCodePoint).join(''))
    : refuse('takes interfaces like u03****, one after the other');
};

const layout = matching(/^[a-zA-Z]+\+[a-zA-Z0-9_-]*\+[a-zA-Z0-9_:,-]*$/, 'takes layout+variant+options');

const LARGEST = Number.MAX_SAFE_INTEGER;
const MAX_QID = 10_000;

/** Setter rules by kind of value (spec: qubes-xml A.2); what a value refers to is checked elsewhere. */
export const ENCODERS = {
  bool,
  int: whole(-LARGEST, LARGEST, 'takes a whole number'),
  positive: whole(1, LARGEST, 'takes a whole number above 0'),
  'not-negative': whole(0, LARGEST, 'takes a whole number, 0 or more'),
  qid: whole(0, MAX_QID, `takes a whole number from 0 to ${MAX_QID}`),
  text: (value: string | null): Encoded => take(value ?? NONE),
  user,
  kernel,
  kernelopts,
  mac,
  'virt-mode': virtMode,
  ip4: address(canonicalIp4, 'takes an IPv4 address'),
  ip6: address(canonicalIp6, 'takes an IPv6 address'),
  uuid,
  denied,
  layout,
} as const satisfies Readonly<Record<string, Encode>>;

export type ValueKind = keyof typeof ENCODERS;
