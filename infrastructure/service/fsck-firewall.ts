import { filedLines, firewallPath } from '../../domain/firewall/firewall.ts';
import type { Host } from '../../domain/host/host.ts';
import { parseVmName } from '../../domain/names.ts';
import type { Vm } from '../../domain/vm/vm.ts';
import { firewallFiles } from '../firewall-file/keeper.ts';
import { holds } from '../qubesdb/keepers.ts';
import type { QubesDb } from '../qubesdb/qubesdb.port.ts';
import type { Finding } from './fsck.ts';
import { hasExpired } from './keep-firewalls.ts';
import { type Published, publishedIn } from './published.ts';

type Where = { readonly home: string; readonly db: QubesDb /** epoch milliseconds */; readonly now: number };

/** `is`: what was looked at. An expired rule is the log's own affair, the others are what lies elsewhere. */
export type FirewallFinding = Finding & {
  readonly is: 'file' | 'expired' | 'published' | 'unreachable';
  readonly vm: string | null;
};

type Told = Pick<FirewallFinding, 'object' | 'problem' | 'is'> & { readonly repair: string };

const finding = (vm: Vm | null, { object, problem, is, repair }: Told): FirewallFinding => ({
  object,
  kind: 'firewall',
  problem,
  position: null,
  repair: problem === null ? null : repair,
  is,
  vm: vm?.name ?? null,
});

const reload = (vm: Vm): string => `domtrail firewall reload ${vm.name}`;

const checkFile = async (home: string, vm: Vm): Promise<FirewallFinding> => {
  const path = firewallPath(vm);
  const lines = filedLines(vm.firewall);
  const deed = { do: 'writeFirewall', vm: vm.name, path, before: lines, after: lines, over: 'ours' } as const;
  const look = await firewallFiles(home).look(deed);
  return finding(vm, { object: path, problem: look.ok ? null : look.error.message, is: 'file', repair: reload(vm) });
};

/** A VM whose rules were never set has no file; from a name that nobody checked no path is built. */
const hasFile = (vm: Vm): boolean =>
  vm.firewall !== null || (vm.class !== 'AdminVM' && vm.class !== 'RemoteVM' && parseVmName(vm.name).ok);

/** The first key that is not as it should be, in words. */
const difference = ({ wanted, found }: Published): string => {
  const paths = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  const path = paths.find((one) => wanted.get(one) !== found.get(one)) ?? '';
  const [should, is] = [wanted.get(path), found.get(path)];
  if (should === undefined) return `${path} is there, which nobody published`;
  return is === undefined ? `${path} is missing` : `${path} is ${JSON.stringify(is)} and not ${JSON.stringify(should)}`;
};

const checkPublished = (one: Published): FirewallFinding => {
  const { vm, netvm, address, wanted, found } = one;
  const told = { object: `${vm.name} in ${netvm.name} (${address})`, is: 'published' } as const;
  if (found.size === 0)
    return finding(vm, { ...told, problem: 'nothing of its rules is in QubesDB', repair: 'domtrail recover' });
  return finding(vm, { ...told, problem: holds(found, wanted) ? null : difference(one), repair: reload(vm) });
};

/**
 * Compares the firewall of every VM with its firewall.xml and with what lies in the QubesDB of its netvm, and tells of rules
 * that have expired. Changes nothing.
 */
export const checkFirewalls = async (host: Host, { home, db, now }: Where): Promise<readonly FirewallFinding[]> => {
  const findings: FirewallFinding[] = [];
  const repair = 'domtrail recover';
  for (const vm of host.vms.values()) {
    const file = hasFile(vm) ? await checkFile(home, vm) : null;
    if (file && (vm.firewall !== null || file.problem !== null)) findings.push(file);
    const problem = 'a rule has expired and is still there';
    if (hasExpired(vm, now)) findings.push(finding(vm, { object: vm.name, problem, is: 'expired', repair }));
  }
  for await (const one of publishedIn(host, { db, now })) {
    if (one.ok) findings.push(checkPublished(one.value));
    else findings.push(finding(null, { object: 'QubesDB', problem: one.error.message, is: 'unreachable', repair }));
  }
  return findings;
};
