import type { DomainEvent } from '../event.ts';
import type { VmName } from '../names.ts';
import type { Firewall } from './rule.ts';

export type FirewallCause = 'set' | 'add' | 'remove' | 'expired' | 'adopted' | 'cloned' | 'restored' | 'undone';

export type FirewallFact =
  /** null: never set, which is one rule `action=accept` */
  | {
      readonly type: 'FirewallChanged';
      readonly vm: VmName;
      readonly before: Firewall | null;
      readonly after: Firewall | null;
      readonly cause: FirewallCause;
    }
  /** firewall.xml and QubesDB were brought to what the log says; no rule changed */
  | { readonly type: 'FirewallReloaded'; readonly vm: VmName; readonly asOf: number }
  /** the QubesDB of the netvm holds the rules as they were in force at `asOf`, in epoch milliseconds */
  | { readonly type: 'FirewallPublished'; readonly vm: VmName; readonly netvm: VmName; readonly asOf: number };

const FIREWALL_FACTS = new Set(['FirewallChanged', 'FirewallPublished', 'FirewallReloaded']);

export const isFirewallFact = (event: DomainEvent): event is FirewallFact => FIREWALL_FACTS.has(event.type);
