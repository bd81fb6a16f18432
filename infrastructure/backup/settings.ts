import { child, type Element, named } from './elements.ts';

/** How a VM was set up, in the texts of qubes.xml; references are names of VMs. `left`: what there is that cannot be restored. */
export type Settings = {
  readonly template: string | null;
  readonly label: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly features: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly left: readonly string[];
};

/** Identity belongs to the host, and what a package manager installed does not come back as that (spec: backup-format 5). */
const NOT_RESTORED = new Set(['name', 'qid', 'uuid', 'dispid', 'installed_by_rpm', 'template', 'label']);
const OF_THE_BACKUP = new Set(['backup-content', 'backup-path', 'backup-size']);
const OF_A_RESTORE = new Set(['backup-restore-in-progress']);

const entriesOf = (elements: readonly Element[], leave: ReadonlySet<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    elements.flatMap(({ attributes, text }) => {
      const name = attributes['name'];
      return name === undefined || leave.has(name) ? [] : [[name, text] as const];
    }),
  );

/** `label-5` is the label with that number. */
const labelNamed = (text: string | undefined, labels: readonly Element[]): string | null => {
  const number = /^label-(\d+)$/.exec(text ?? '')?.[1];
  if (number === undefined) return text ?? null;
  return labels.find(({ attributes }) => attributes['id'] === text)?.text ?? null;
};

const devicesOf = (domain: Element): readonly string[] =>
  domain.children
    .filter(({ tag }) => tag === 'devices')
    .flatMap(({ attributes, children }) =>
      children
        .filter(({ tag }) => tag === 'device')
        .map(({ attributes: one }) => `device ${attributes['class']} ${one['backend-domain']}:${one['id']}`),
    );

/** The settings of a domain of Qubes 4. `labels`: those of the document. */
export const settingsOf = (domain: Element, labels: readonly Element[]): Settings => {
  const properties = child(domain, 'properties');
  return {
    template: named(properties, 'template') || null,
    label: labelNamed(named(properties, 'label'), labels),
    properties: entriesOf(properties, NOT_RESTORED),
    features: entriesOf(child(domain, 'features'), OF_THE_BACKUP),
    tags: child(domain, 'tags').flatMap(({ attributes: { name } }) =>
      name === undefined || OF_A_RESTORE.has(name) ? [] : [name],
    ),
    left: devicesOf(domain),
  };
};
