import type { VmName } from '../names.ts';
import { ok } from '../result.ts';
import { vmProperty } from '../vm/property-table.ts';
import type { Vm } from '../vm/vm.ts';
import type { Document, DocumentEntry } from './commands.ts';
import { type Draft, inOrder, type Loading, quoted, refuse, vmOf } from './draft.ts';

const OLD_NETVM = 'default_fw_netvm';

const firstNamed = (entries: readonly DocumentEntry[], name: string): DocumentEntry | undefined =>
  entries.find((entry) => entry.name === name);

const withElement = (draft: Draft, properties: readonly DocumentEntry[]): Draft =>
  draft.element ? { ...draft, element: { ...draft.element, properties } } : draft;

const vmNamed = ({ host }: Loading, text: string | null): Vm | undefined => host.vms.get((text ?? '') as VmName);

/** Qubes 3 had another default for VMs that provide network: those without a netvm of their own get it written down. */
const spreadOldNetvm = (loading: Loading, globals: readonly DocumentEntry[]): void => {
  const old = firstNamed(globals, OLD_NETVM);
  const current = firstNamed(globals, 'default_netvm');
  const oldNetvm = old && vmNamed(loading, old.text);
  const netvm = current && vmNamed(loading, current.text);
  if (!oldNetvm || (current && !netvm) || netvm === oldNetvm) return;
  for (const draft of inOrder(loading)) {
    const vm = vmOf(loading, draft);
    const properties = draft.element?.properties ?? [];
    const wants = vmProperty(vm.class, 'netvm') !== null && vm.properties['provides_network'] === 'True';
    if (!wants || firstNamed(properties, 'netvm')) continue;
    loading.drafts.set(draft.name, withElement(draft, [...properties, { name: 'netvm', text: oldNetvm.name }]));
  }
};

const DISPOSABLES = ['default_dispvm', 'management_dispvm'];

/** A reference to a VM that is no template for disposables becomes None; one to no VM at all is refused. */
const dropped = (loading: Loading, where: string, entries: readonly DocumentEntry[]) => {
  let left = entries;
  for (const name of DISPOSABLES) {
    const at = left.findIndex((entry) => entry.name === name);
    const text = left[at]?.text ?? null;
    if (text === null) continue;
    const vm = vmNamed(loading, text);
    if (!vm) return refuse(where, `${name}: there is no VM ${quoted(text)}`);
    if (vm.properties['template_for_dispvms'] === 'True') continue;
    left = left.map((entry, index) => (index === at ? { name, text: null } : entry));
  }
  return ok(left);
};

/** What stock changes in a document between loading the VMs and their references. Gives the global properties that are left. */
export const migrateDocument = (loading: Loading, { properties }: Document) => {
  spreadOldNetvm(loading, properties);
  const at = properties.findIndex(({ name }) => name === OLD_NETVM);
  const globals = dropped(
    loading,
    'global properties',
    properties.filter((_, index) => index !== at),
  );
  if (!globals.ok) return globals;
  for (const draft of Array.from(loading.drafts.values())) {
    const left = dropped(loading, `VM ${quoted(draft.name)}`, draft.element?.properties ?? []);
    if (!left.ok) return left;
    loading.drafts.set(draft.name, withElement(draft, left.value));
  }
  return globals;
};
