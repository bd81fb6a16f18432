import { filedLines, firewallPath } from '../../domain/firewall/firewall.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Vm } from '../../domain/vm/vm.ts';
import { firewallFiles } from '../firewall-file/keeper.ts';
import { holds } from '../qubesdb/keepers.ts';
import type { QubesDb } from '../qubesdb/qubesdb.port.ts';
import type { Finding } from './fsck.ts';
import { hasExpired } from './keep-firewalls.ts';
import { type Published, publishedIn } from './published.ts';

type Where = { readonly home: string; readonly db: QubesDb /** epoch milliseconds */; readonly now: number };

const finding = (object: string, problem: string | null, repair: string): Finding => ({
  object,
  kind: 'firewall',
  problem,
  position: null,
  repair: problem === null ? null : repair,
});

const reload = (vm: Vm): string => `domtrail firewall reload ${vm.name}`;

const checkFile = async (home: string, vm: Vm): Promise<Finding> => {
  const path = firewallPath(vm);
  const lines = filedLines(vm.firewall);
  const deed = { do: 'writeFirewall', vm: vm.name, path, before: lines, after: lines, over: 'ours' } as const;
  const look = await firewallFiles(home).look(deed);
  return finding(path, look.ok ? null : look.error.message, reload(vm));
};

/** The first key that is not as it should be, in words. */
const difference = ({ wanted, found }: Published): string => {
  const paths = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  const path = paths.find((one) => wanted.get(one) !== found.get(one)) ?? '';
  const [should, is] = [wanted.get(path), found.get(path)];
  if (should === undefined) return `${path} is there, which nobody published`;
  return is === undefined ? `${path} is missing` : `${path} is ${JSON.stringify(is)} and not ${JSON.stringify(should)}`;
};

const checkPublished = (one: Published): Finding => {
  const { vm, netvm, address, wanted, found } = one;
  const object = `${vm.name} in ${netvm.name} (${address})`;
  if (found.size === 0) return finding(object, 'nothing of its rules is in QubesDB', 'domtrail recover');
  return finding(object, holds(found, wanted) ? null : difference(one), reload(vm));
};

/**
 * Compares the firewall of every VM with its firewall.xml and with what lies in the QubesDB of its netvm, and tells of rules
 * that have expired. Changes nothing.
 */
export const checkFirewalls = async (host: Host, { home, db, now }: Where): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  for (const vm of host.vms.values()) {
    if (vm.firewall !== null) findings.push(await checkFile(home, vm));
    if (hasExpired(vm, now))
      findings.push(finding(vm.name, 'a rule has expired and is still there', 'domtrail recover'));
  }
  for await (const one of publishedIn(host, { db, now })) {
    findings.push(one.ok ? checkPublished(one.value) : finding('QubesDB', one.error.message, 'domtrail recover'));
  }
  return findings;
};
