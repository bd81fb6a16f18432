import type { Document, DocumentDomain, DocumentEntry } from './commands.ts';

/** A setting that a document has otherwise: a change that a command of ours makes. `value` null: not set there. */
export type Edit =
  | { readonly what: 'property'; readonly vm: string | null; readonly name: string; readonly value: string | null }
  | { readonly what: 'feature'; readonly vm: string; readonly name: string; readonly value: string | null }
  | { readonly what: 'tag'; readonly vm: string; readonly name: string; readonly value: string | null }
  | {
      readonly what: 'volume';
      readonly vm: string;
      readonly volume: string;
      readonly name: string;
      readonly value: string | null;
    };

/** How another document differs from ours: `edits` can be taken over one by one, `beyond` names in words what cannot. */
export type Edited = { readonly edits: readonly Edit[]; readonly beyond: readonly string[] };

type Values = ReadonlyMap<string, string>;
type Difference = { readonly name: string; readonly value: string | null };

const differences = (ours: Values, theirs: Values): readonly Difference[] =>
  [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((name) => {
    const value = theirs.get(name) ?? null;
    return (ours.get(name) ?? null) === value ? [] : [{ name, value }];
  });

/** As stock reads them: the last of a name counts. */
const valuesOf = (entries: readonly DocumentEntry[]): Values =>
  new Map(entries.map(({ name, text }) => [name ?? '', text ?? '']));

const nameOf = ({ class: vmClass, properties }: DocumentDomain): string =>
  vmClass === 'AdminVM' ? 'dom0' : (valuesOf(properties).get('name') ?? '');

const SETTABLE: ReadonlySet<string> = new Set(['rw', 'revisions_to_keep', 'ephemeral']);

const ofVolumes = (vm: string, ours: DocumentDomain, theirs: DocumentDomain): Edited => {
  const edits: Edit[] = [];
  const beyond: string[] = [];
  const byName = ({ volumes }: DocumentDomain) =>
    new Map(volumes.map((one) => [one['name'] ?? '', new Map(Object.entries(one))]));
  const [mine, other] = [byName(ours), byName(theirs)];
  for (const name of new Set([...mine.keys(), ...other.keys()])) {
    const [was, is] = [mine.get(name), other.get(name)];
    if (!was || !is) {
      beyond.push(`${vm}:${name} is ${is ? 'only in the file' : 'not in the file'}`);
      continue;
    }
    for (const { name: attribute, value } of differences(was, is)) {
      if (SETTABLE.has(attribute)) edits.push({ what: 'volume', vm, volume: name, name: attribute, value });
      else beyond.push(`${vm}:${name}: ${attribute} is ${value ?? 'not set'} in the file`);
    }
  }
  return { edits, beyond };
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const ofDomain = (vm: string, ours: DocumentDomain, theirs: DocumentDomain): Edited => {
  const volumes = ofVolumes(vm, ours, theirs);
  const tags = ({ tags: all }: DocumentDomain): Values => new Map(all.map((tag) => [tag ?? '', 'set']));
  const edits: readonly Edit[] = [
    ...differences(valuesOf(ours.properties), valuesOf(theirs.properties)).map(
      (one): Edit => ({ what: 'property', vm, ...one }),
    ),
    ...differences(valuesOf(ours.features), valuesOf(theirs.features)).map(
      (one): Edit => ({ what: 'feature', vm, ...one }),
    ),
    ...differences(tags(ours), tags(theirs)).map((one): Edit => ({ what: 'tag', vm, ...one })),
    ...volumes.edits,
  ];
  const beyond = [
    ...(ours.class === theirs.class ? [] : [`${vm}: its class is ${theirs.class ?? 'not given'} in the file`]),
    ...(same(ours.devices, theirs.devices) ? [] : [`${vm}: its devices are others in the file`]),
    ...volumes.beyond,
  ];
  return { edits, beyond };
};

const ofHost = (ours: Document, theirs: Document): Edited => ({
  edits: differences(valuesOf(ours.properties), valuesOf(theirs.properties)).map(
    (one): Edit => ({ what: 'property', vm: null, ...one }),
  ),
  beyond: [
    ...(same(ours.labels, theirs.labels) ? [] : ['the labels are others in the file']),
    ...(same(ours.pools, theirs.pools) ? [] : ['the pools are others in the file']),
  ],
});

/** What somebody changed in a document, against the one that the log gives. */
export const editsBetween = (ours: Document, theirs: Document): Edited => {
  const byName = ({ domains }: Document) => new Map(domains.map((one) => [nameOf(one), one]));
  const [mine, other] = [byName(ours), byName(theirs)];
  const found: Edited[] = [ofHost(ours, theirs)];
  for (const vm of new Set([...mine.keys(), ...other.keys()])) {
    const [was, is] = [mine.get(vm), other.get(vm)];
    if (was && is) found.push(ofDomain(vm, was, is));
    else found.push({ edits: [], beyond: [`VM ${vm} is ${is ? 'only in the file' : 'not in the file'}`] });
  }
  return { edits: found.flatMap(({ edits }) => edits), beyond: found.flatMap(({ beyond }) => beyond) };
};

/** An edit in words. */
export const wordsOfEdit = (edit: Edit): string => {
  const object = edit.what === 'volume' ? `${edit.vm}:${edit.volume}` : (edit.vm ?? 'global');
  if (edit.what === 'tag')
    return `${object}: tag ${edit.name} is ${edit.value === null ? 'not there' : 'there'} in the file`;
  const name = edit.what === 'feature' ? `feature ${edit.name}` : edit.name;
  return `${object}: ${name} is ${edit.value === null ? 'not set' : edit.value === '' ? '""' : edit.value} in the file`;
};
