import { type Failure, failure } from '../failure.ts';
import type { Loss } from '../host/events.ts';
import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { err, type Result } from '../result.ts';
import { byCodePoint } from '../vm/order.ts';
import type { Vm } from '../vm/vm.ts';
import type { DocumentDomain, DocumentEntry } from './commands.ts';

/** Attributes of a `<volume>` merged over the defaults of the VM's class; null: the class says that there is none yet. */
export type VolumeConfig = Map<string, string | null>;

type Element = Omit<DocumentDomain, 'properties'> & { readonly properties: readonly DocumentEntry[] };

/** A VM while its document is loaded. `vm` in the host is replaced as the stages find out more. */
export type Draft = {
  readonly name: VmName;
  /** the elements that are left after the migrations; null for a dom0 that the document lacks */
  readonly element: Element | null;
  readonly volumes: Map<string, VolumeConfig>;
};

/** A document on its way to a host: what is known so far, and what stock would silently drop. */
export type Loading = {
  readonly host: Host;
  readonly drafts: Map<VmName, Draft>;
  readonly lost: Loss[];
  readonly uuid: string;
};

export type Loaded = Result<null, Failure>;

/** How much of a value from a document a message repeats. */
const SHOWN = 100;

export const quoted = (text: string | null): string =>
  text === null ? 'nothing' : JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** Stock refuses to load such a document, or nothing it could save would come of it. */
export const refuse = (where: string, problem: string): Result<never, Failure> =>
  err(failure('D_DOCUMENT_REFUSED', `${where}: ${problem}`));

/** A refusal by a rule that commands share, told as one of the document. */
export const refused = (where: string, cause: Failure): Result<never, Failure> => refuse(where, cause.message);

/** The VM of a draft as it stands; there is one as soon as stage 2 is over. */
export const vmOf = ({ host }: Loading, { name }: Draft): Vm => {
  const vm = host.vms.get(name);
  if (!vm) throw new Error(`${name} has a draft but no VM`);
  return vm;
};

export const change = (loading: Loading, draft: Draft, part: Partial<Vm>): void => {
  loading.host.vms.set(draft.name, { ...vmOf(loading, draft), ...part });
};

export const setProperty = (loading: Loading, draft: Draft, name: string, text: string): void =>
  change(loading, draft, { properties: { ...vmOf(loading, draft).properties, [name]: text } });

/** In the order in which stock goes through its VMs: dom0, then by name. */
export const inOrder = (loading: Loading): readonly Draft[] =>
  [...loading.drafts.values()].sort(
    (a, b) =>
      Number(vmOf(loading, b).class === 'AdminVM') - Number(vmOf(loading, a).class === 'AdminVM') ||
      byCodePoint(a.name, b.name),
  );
