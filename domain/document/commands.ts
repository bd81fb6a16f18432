import * as z from 'zod';
import { LONGEST_LINE } from '../firewall/parse.ts';
import { MOST_RULES } from '../firewall/rule.ts';
import { knownVmNameSchema } from '../schemas.ts';

/** Largest text of one value; stock has no limit, but no such value was ever seen. */
const text = z.string().max(65_536);
const MOST = 20_000;

const attributes = z.record(z.string().max(256), text);
/** `text` null: an empty element. */
const entry = z.strictObject({ name: text.nullable(), text: text.nullable() });
const entries = z.array(entry).max(MOST);
const label = z.strictObject({ id: text.nullable(), color: text.nullable(), text: text.nullable() });
const device = z.strictObject({ attributes, options: entries });

const domain = z.strictObject({
  class: text.nullable(),
  properties: entries,
  features: entries,
  tags: z.array(text.nullable()).max(MOST),
  devices: z.array(z.strictObject({ class: text.nullable(), devices: z.array(device).max(MOST) })).max(1000),
  volumes: z.array(attributes).max(1000),
});

/** A qubes.xml as it stands in the file, before any of stock's rules: what the reader understood of it, in document order. */
const document = z.strictObject({
  labels: z.array(label).max(MOST),
  pools: z.array(attributes).max(1000),
  properties: entries,
  domains: z.array(domain).max(MOST),
});

/** The rules of one VM's firewall.xml, each a line in normal form. */
const firewall = z.strictObject({
  vm: knownVmNameSchema,
  rules: z.array(z.string().max(LONGEST_LINE)).max(MOST_RULES),
});

/** `digest`: sha256 of the file. `firewalls`: those that were read; a VM without one has the default, as in stock. */
export const adoptHost = z.strictObject({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  document,
  firewalls: z.array(firewall).max(MOST),
});

export type AdoptHost = z.infer<typeof adoptHost>;
export type Document = z.infer<typeof document>;
export type DocumentDomain = z.infer<typeof domain>;
export type DocumentEntry = z.infer<typeof entry>;
