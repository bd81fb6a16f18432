import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { child, type Element, named, rootOf } from './elements.ts';
import { type Settings, settingsOf } from './settings.ts';
import { type NamesByQid, settingsOfR3 } from './settings-r3.ts';

/** A VM that the archive says it holds. `path`: its place in the archive without a slash at the end; `bytes`: as recorded then. */
export type BackedUpVm = {
  readonly name: string;
  readonly class: string;
  readonly path: string;
  readonly bytes: number | null;
  /** images that a complete backup of this VM has */
  readonly images: readonly string[];
  readonly settings: Settings;
};

const ROOTED = new Set(['TemplateVM', 'StandaloneVM']);

const imagesOf = (domain: Element, vmClass: string): readonly string[] => {
  const volumes = child(domain, 'volume-config').map(({ attributes }) => attributes);
  const kept = volumes.filter((one) => one['save_on_stop'] === 'True').map((one) => `${one['name']}.img`);
  if (kept.length > 0) return kept;
  return ROOTED.has(vmClass) ? ['root.img', 'private.img'] : ['private.img'];
};

const withoutSlash = (path: string): string => path.replace(/\/+$/, '');

const sizeIn = (text: string | undefined): number | null =>
  text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : null;

/** Qubes 4: backup-content and backup-path are features of the domain. */
const fromDomain = (domain: Element, labels: readonly Element[]): readonly BackedUpVm[] => {
  const features = child(domain, 'features');
  const path = named(features, 'backup-path');
  if (!named(features, 'backup-content') || path === undefined || path === '') return [];
  const vmClass = domain.attributes['class'] ?? '';
  return [
    {
      name: named(child(domain, 'properties'), 'name') ?? (vmClass === 'AdminVM' ? 'dom0' : ''),
      class: vmClass,
      path: withoutSlash(path),
      bytes: sizeIn(named(features, 'backup-size')),
      images: vmClass === 'AdminVM' ? [] : imagesOf(domain, vmClass),
      settings: settingsOf(domain, labels),
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
  QubesHVm: 'AppVM',
  QubesDisposableVm: 'DispVM',
};

/** Every VM but a template that has none of its own is a standalone one. */
const oldClass = ({ tag, attributes }: Element): string | undefined =>
  OLD_CLASSES[tag] === 'AppVM' && (attributes['template_qid'] ?? 'none') === 'none' ? 'StandaloneVM' : OLD_CLASSES[tag];

/** Qubes 3 and before: everything stands in attributes. */
const fromOldVm = (element: Element, names: NamesByQid): readonly BackedUpVm[] => {
  const vmClass = oldClass(element);
  const { backup_content: content, backup_path: path, backup_size: size } = element.attributes;
  if (vmClass === undefined || content !== 'True' || !path) return [];
  return [
    {
      name: element.attributes['name'] ?? (vmClass === 'AdminVM' ? 'dom0' : ''),
      class: vmClass,
      path: withoutSlash(path),
      bytes: sizeIn(size),
      images: vmClass === 'AdminVM' ? [] : ROOTED.has(vmClass) ? ['root.img', 'private.img'] : ['private.img'],
      settings: settingsOfR3(element, names),
    },
  ];
};

const namesByQid = ({ children }: Element): NamesByQid =>
  new Map(children.map(({ attributes }) => [attributes['qid'] ?? '', attributes['name'] ?? '']));

/** The VMs that the qubes.xml inside a backup marks as backed up (spec: backup-format 5). It has been authenticated. */
export const contentsOf = (text: string): Result<readonly BackedUpVm[], Failure> => {
  try {
    const root = rootOf(text);
    if (root.tag === 'QubesVmCollection') {
      const names = namesByQid(root);
      return ok(root.children.flatMap((element) => fromOldVm(element, names)));
    }
    const labels = child(root, 'labels');
    return ok(child(root, 'domains').flatMap((domain) => fromDomain(domain, labels)));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return err(failure('D_BACKUP_INVALID', `the qubes.xml of the backup: ${problem}`));
  }
};
