import type { Document, DocumentDomain, DocumentEntry } from '../../domain/document/commands.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { readTree, type XmlElement } from './read-tree.ts';

/** All grandchildren under a name, wherever they stand: stock asks for `./labels/label` and does not look at order. */
const under = (element: XmlElement, parent: string, child: string): readonly XmlElement[] =>
  element.children
    .filter(({ name }) => name === parent)
    .flatMap(({ children }) => children.filter(({ name }) => name === child));

const attribute = ({ attributes }: XmlElement, name: string): string | null =>
  Object.hasOwn(attributes, name) ? (attributes[name] ?? null) : null;

/** A property's value may stand in `ref`, as older versions of stock wrote it. */
const property = (element: XmlElement): DocumentEntry => ({
  name: attribute(element, 'name'),
  text: attribute(element, 'ref') || element.text,
});

const entry = (element: XmlElement): DocumentEntry => ({ name: attribute(element, 'name'), text: element.text });

const devicesOf = (domain: XmlElement): DocumentDomain['devices'] =>
  domain.children
    .filter(({ name }) => name === 'devices')
    .map((parent) => ({
      class: attribute(parent, 'class'),
      devices: parent.children
        .filter(({ name }) => name === 'device')
        .map((device) => ({
          attributes: device.attributes,
          options: device.children.filter(({ name }) => name === 'option').map(entry),
        })),
    }));

const domainOf = (domain: XmlElement): DocumentDomain => ({
  class: attribute(domain, 'class'),
  properties: under(domain, 'properties', 'property').map(property),
  features: under(domain, 'features', 'feature').map(entry),
  tags: under(domain, 'tags', 'tag').map((tag) => attribute(tag, 'name')),
  devices: devicesOf(domain),
  volumes: under(domain, 'volume-config', 'volume').map(({ attributes }) => attributes),
});

/** What a qubes.xml says, before any of stock's rules. The root may be called anything; what stock ignores is left out. */
export const readQubesXml = (text: string): Result<Document, Failure> => {
  const tree = readTree(text);
  if (!tree.ok) return tree;
  const root = tree.value;
  const labels = under(root, 'labels', 'label').map((label) => ({
    id: attribute(label, 'id'),
    color: attribute(label, 'color'),
    text: label.text,
  }));
  return ok({
    labels,
    pools: under(root, 'pools', 'pool').map(({ attributes }) => attributes),
    properties: under(root, 'properties', 'property').map(property),
    domains: under(root, 'domains', 'domain').map(domainOf),
  });
};
