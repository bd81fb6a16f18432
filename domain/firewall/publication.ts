import type { Context } from '../decision.ts';
import type { Host } from '../host/host.ts';
import type { Deed } from '../steps.ts';
import type { Vm } from '../vm/vm.ts';
import type { Firewall } from './rule.ts';

/** A change of a VM's rules: what was in force and what is to be. */
export type Revision = { readonly before: Firewall | null; readonly after: Firewall | null };

/** The deeds that bring the rules to where the VM's netvm reads them, in order: none while there is nobody to read. */
export const publications = (_host: Host, _vm: Vm, _revision: Revision, _context: Context): readonly Deed[] => [];
