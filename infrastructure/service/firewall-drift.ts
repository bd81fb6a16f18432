import { hash } from 'node:crypto';
import { firewallPath, linesOf } from '../../domain/firewall/firewall.ts';
import type { RuleLine } from '../../domain/firewall/rule.ts';
import type { Host } from '../../domain/host/host.ts';
import type { VmName } from '../../domain/names.ts';
import type { Vm } from '../../domain/vm/vm.ts';
import { shellWord } from '../cli/shell-word.ts';
import { filedText } from '../firewall-file/keeper.ts';
import { readFirewallXml } from '../firewall-xml/read.ts';
import type { QubesDb } from '../qubesdb/qubesdb.port.ts';
import type { Offered } from './drift.ts';
import { checkFirewalls, type FirewallFinding } from './fsck-firewall.ts';

type Where = { readonly home: string; readonly db: QubesDb /** epoch milliseconds */; readonly now: number };

/** The rules in a VM's firewall.xml when somebody wrote others there; null when they are ours, or cannot be read. */
export const foreignRules = async (home: string, vm: Vm): Promise<readonly RuleLine[] | null> => {
  const text = await filedText(home, firewallPath(vm));
  const read = text.ok && text.value !== null ? readFirewallXml(Buffer.from(text.value, 'utf8')) : null;
  if (!read?.ok) return null;
  const { rules } = read.value;
  const ours = vm.firewall === null ? null : linesOf(vm.firewall);
  return ours?.length === rules.length && ours.every((line, at) => line === rules[at]) ? null : rules;
};

const DIFFERENCES = { file: 'edited', published: 'published', unreachable: 'unseen', expired: 'expired' } as const;

const offered = async (finding: FirewallFinding, host: Host, home: string): Promise<Offered> => {
  const { object, kind, position, repair, is } = finding;
  const problem = finding.problem ?? '';
  const vm = host.vms.get((finding.vm ?? '') as VmName);
  const base = {
    object,
    kind,
    position,
    problem,
    repair,
    name: object,
    about: finding.vm,
    difference: DIFFERENCES[is],
  };
  if (is !== 'file' || !vm) return { ...base, fingerprint: problem, adopt: null };
  const text = await filedText(home, object);
  const fingerprint = text.ok && text.value !== null ? hash('sha256', text.value) : problem;
  const rules = await foreignRules(home, vm);
  return {
    ...base,
    fingerprint,
    adopt: rules === null ? null : `domtrail drift adopt ${shellWord(object)}`,
    details: (rules ?? []).map((rule, at) => `the file has ${at}: ${rule}`),
  };
};

/** Where firewall.xml and QubesDB differ from the rules in the log. */
export const firewallDrift = async (host: Host, where: Where): Promise<readonly Offered[]> => {
  const found: Offered[] = [];
  for (const finding of await checkFirewalls(host, where)) {
    if (finding.problem !== null && finding.is !== 'expired') found.push(await offered(finding, host, where.home));
  }
  return found;
};
