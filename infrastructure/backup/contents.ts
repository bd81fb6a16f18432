import { XMLParser } from 'fast-xml-parser';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

/** A VM that the archive says it holds. `path`: its place in the archive without a slash at the end; `bytes`: as recorded then. */
export type BackedUpVm = {
  readonly name: string;
  readonly class: string;
  readonly path: string;
  readonly bytes: number | null;
  /** images that a complete backup of this VM has */
  readonly images: readonly string[];
};

type Element = {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
};

const ATTRIBUTES = ':@';
const TEXT = '#text';

const elementsOf = (nodes: readonly Readonly<Record<string, unknown>>[]): readonly Element[] =>
  nodes.flatMap((node) => {
    const tag = Object.keys(node).find((key) => key !== ATTRIBUTES);
    if (tag === undefined || tag === TEXT || tag.startsWith('?')) return [];
    const inside = node[tag] as readonly Readonly<Record<string, unknown>>[];
    return [
      {
        tag,
        attributes: (node[ATTRIBUTES] ?? {}) as Readonly<Record<string, string>>,
        text: inside.map((child) => (TEXT in child ? String(child[TEXT]) : '')).join(''),
        children: elementsOf(inside),
      },
    ];
  });

const child = ({ children }: Element, tag: string): readonly Element[] =>
  children.filter((one) => one.tag === tag).flatMap((one) => one.children);

const named = (elements: readonly Element[], name: string): string | undefined =>
  elements.findLast(({ attributes }) => attributes['name'] === name)?.text;

const ROOTED = new Set(['TemplateVM', 'StandaloneVM']);

const imagesOf = (domain: Element, vmClass: string): readonly string[] => {
  const volumes = child(domain, 'volume-config').map(({ attributes }) => attributes);
  const kept = volumes.filter((one) => one['save_on_stop'] === 'True').map((one) => `${one['name']}.img`);
  if (kept.length > 0) return kept;
  return ROOTED.has(vmClass) ? ['root.img', 'private.img'] : ['private.img'];
};

const withoutSlash = (path: string): string => path.replace(/\/+$/, '');

/** Qubes 4: backup-content and backup-path are features of the domain. */
const fromDomain = (domain: Element): readonly BackedUpVm[] => {
  const features = child(domain, 'features');
  const path = named(features, 'backup-path');
  if (!named(features, 'backup-content') || path === undefined || path === '') return [];
  const vmClass = domain.attributes['class'] ?? '';
  const size = named(features, 'backup-size');
  return [
    {
      name: named(child(domain, 'properties'), 'name') ?? (vmClass === 'AdminVM' ? 'dom0' : ''),
      class: vmClass,
      path: withoutSlash(path),
      bytes: size !== undefined && /^[0-9]{1,15}$/.test(size) ? Number(size) : null,
      images: vmClass === 'AdminVM' ? [] : imagesOf(domain, vmClass),
    },
  ];
};

const OLD_CLASSES: Readonly<Record<string, string>> = {
  QubesAdminVm: 'AdminVM',
  QubesTemplateVm: 'TemplateVM',
  QubesTemplateHVm: 'TemplateVM',
  QubesAppVm: 'AppVM',
  QubesNetVm: 'AppVM',
  QubesProxyVm: 'AppVM',
  QubesHVm: 'StandaloneVM',
  QubesDisposableVm: 'DispVM',
};

/** Qubes 3 and before: everything stands in attributes, and a VM without a template is a standalone one. */
const fromOldVm = ({ tag, attributes }: Element): readonly BackedUpVm[] => {
  const known = OLD_CLASSES[tag];
  const { backup_content: content, backup_path: path, backup_size: size } = attributes;
  if (known === undefined || content !== 'True' || !path) return [];
  const standalone = known === 'AppVM' && attributes['template_qid'] === 'none' && tag === 'QubesAppVm';
  const vmClass =
    standalone || (tag === 'QubesHVm' && attributes['template_qid'] !== 'none')
      ? standalone
        ? 'StandaloneVM'
        : 'AppVM'
      : known;
  return [
    {
      name: attributes['name'] ?? (known === 'AdminVM' ? 'dom0' : ''),
      class: vmClass,
      path: withoutSlash(path),
      bytes: size !== undefined && /^[0-9]{1,15}$/.test(size) ? Number(size) : null,
      images: known === 'AdminVM' ? [] : ROOTED.has(vmClass) ? ['root.img', 'private.img'] : ['private.img'],
    },
  ];
};

/** The VMs that the qubes.xml inside a backup marks as backed up (spec: backup-format 5). It has been authenticated. */
export const contentsOf = (text: string): Result<readonly BackedUpVm[], Failure> => {
  const refused = (message: string): Result<never, Failure> =>
    err(failure('D_BACKUP_INVALID', `the qubes.xml of the backup: ${message}`));
  if (/<!/.test(text.replace(/<!--[\s\S]*?-->/g, ''))) return refused('it holds a declaration');
  try {
    const parser = new XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: '',
      parseTagValue: false,
      parseAttributeValue: false,
      trimValues: false,
    });
    const [root] = elementsOf(parser.parse(text) as readonly Readonly<Record<string, unknown>>[]);
    if (!root) return refused('it is empty');
    if (root.tag === 'QubesVmCollection') return ok(root.children.flatMap(fromOldVm));
    return ok(child(root, 'domains').flatMap(fromDomain));
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error));
  }
};
