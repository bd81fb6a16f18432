import type { Document, DocumentDomain, DocumentEntry } from '../../domain/document/commands.ts';
import { featureName, propertyName, propertyValue } from './settings.ts';
import type { Redactor, Words } from './words.ts';

type Attributes = Readonly<Record<string, string>>;

const orNull = (change: (text: string) => string) => (text: string | null) => (text === null ? null : change(text));

/** Stock takes the number behind the first dash, whatever stands before it. */
const labelId = ({ text }: Words, id: string): string => {
  const number = /^[^-]*(-[\s0-9_+-]*)$/.exec(id)?.[1];
  return number === undefined ? text(id) : `label${number}`;
};

const pool = ({ words }: Redactor, attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, text]) => {
      if (name === 'name') return [name, words.pool(text)];
      if (name === 'driver')
        return [name, /^(lvm_thin|file|file-reflink|linux-kernel)$/.test(text) ? text : words.text(text)];
      if (name === 'volume_group') return [name, words.volumeGroup(text)];
      if (name === 'thin_pool') return [name, words.thinPool(text)];
      return [name, name === 'dir_path' ? words.path(text) : words.text(text)];
    }),
  );

const volume = ({ words, storage }: Redactor, attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, text]) => {
      if (name === 'name') return [name, words.volume(text)];
      if (name === 'pool') return [name, words.pool(text)];
      if (name === 'vid' || name === 'source') return [name, storage.vid(text)];
      return [name, /^[0-9]{1,16}$/.test(text) ? text : words.text(text)];
    }),
  );

const domain = (one: Redactor, element: DocumentDomain): DocumentDomain => {
  const { words } = one;
  const property = ({ name, text }: DocumentEntry): DocumentEntry => ({
    name: name === null ? null : propertyName(words, name),
    text: text === null ? null : propertyValue(words, name ?? '', text),
  });
  const feature = ({ name, text }: DocumentEntry): DocumentEntry => ({
    name: orNull((value) => featureName(words, value))(name),
    text: orNull((value) => (value === '' ? '' : words.text(value)))(text),
  });
  const attribute = ([name, text]: readonly [string, string]) => [
    name,
    name === 'backend-domain' ? words.vm(text) : words.text(text),
  ];
  return {
    class: orNull(words.text)(element.class),
    properties: element.properties.map(property),
    features: element.features.map(feature),
    tags: element.tags.map(orNull(words.tag)),
    devices: element.devices.map(({ class: name, devices }) => ({
      class: orNull(words.text)(name),
      devices: devices.map(({ attributes, options }) => ({
        attributes: Object.fromEntries(Object.entries(attributes).map(attribute)) as Attributes,
        options: options.map((option) => ({
          name: orNull(words.text)(option.name),
          text: orNull(words.text)(option.text),
        })),
      })),
    })),
    volumes: element.volumes.map((attributes) => volume(one, attributes)),
  };
};

/** An adopted qubes.xml. Names of elements and attributes are stock's and stay where they are known. */
export const documentIn = (one: Redactor, value: object): Document => {
  const { words } = one;
  const { labels, pools, properties, domains } = value as Document;
  return {
    labels: labels.map(({ id, color, text }) => ({
      id: orNull((name) => labelId(words, name))(id),
      color: orNull((hex) => (/^0x[0-9a-f]{6}$/i.test(hex) ? hex : words.text(hex)))(color),
      text: orNull(words.label)(text),
    })),
    pools: pools.map((attributes) => pool(one, attributes)),
    properties: properties.map(({ name, text }) => ({
      name: name === null ? null : propertyName(words, name),
      text: text === null ? null : propertyValue(words, name ?? '', text),
    })),
    domains: domains.map((element) => domain(one, element)),
  };
};
