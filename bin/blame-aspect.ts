import type { Recorded } from '../domain/event.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { linesOf } from '../domain/firewall/firewall.ts';
import type { RuleLine } from '../domain/firewall/rule.ts';
import type { VmName, VolumeName } from '../domain/names.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type Blamed, blameSetting } from './blame-setting.ts';
import type { Reading } from './compose.ts';
import { eventsAbout } from './log-events.ts';

/** Takes an older change into account: a rule that was there before it is older still. */
const goBack = (open: Map<RuleLine, Recorded | null>, settled: Set<RuleLine>, recorded: Recorded): void => {
  const { event } = recorded;
  if (event.type !== 'FirewallChanged') return;
  const before = new Set(event.before?.rules ?? []);
  for (const line of open.keys()) {
    if (settled.has(line)) continue;
    open.set(line, recorded);
    if (!before.has(line)) settled.add(line);
  }
};

/** Each rule in force, with the change since which it has been there without a gap. */
const blameRules = (reading: Reading, vm: VmName): Result<readonly Blamed[], Failure> => {
  const entries = eventsAbout(reading, vm, { after: 0, upTo: reading.asOf.position });
  if (!entries.ok) return entries;
  const rules = linesOf(reading.host.vms.get(vm)?.firewall ?? null);
  const open = new Map<RuleLine, Recorded | null>(rules.map((line) => [line, null]));
  const settled = new Set<RuleLine>();
  for (const { recorded } of entries.value) {
    if ('vm' in recorded.event && recorded.event.vm === vm) goBack(open, settled, recorded);
    if (settled.size === open.size) break;
  }
  return ok(rules.map((line, number) => ({ what: `rule ${number}`, value: line, recorded: open.get(line) ?? null })));
};

const oneRule = (blamed: readonly Blamed[], vm: VmName, which: string): Result<readonly Blamed[], Failure> => {
  const wanted = blamed.filter(({ what, value }) => value === which || what === `rule ${which}`);
  return wanted.length > 0
    ? ok(wanted)
    : err(failure('D_NOT_FOUND', `${vm} has no such rule`, { next: `domtrail firewall get ${vm} -n` }));
};

const mustExist = ({ host }: Reading, object: string): Result<null, Failure> => {
  if (object === 'global') return ok(null);
  const [name = '', volume] = object.split(':');
  const vm = host.vms.get(name as VmName);
  if (!vm) return err(failure('D_NOT_FOUND', `there is no VM ${name}`, { next: `domtrail log ${object}` }));
  return volume === undefined || vm.volumes[volume as VolumeName]
    ? ok(null)
    : err(failure('D_NOT_FOUND', `there is no volume ${object}`, { next: `domtrail volume list ${name}` }));
};

/**
 * Which event made a setting of a VM, a volume or the host (`global`) what it is. `aspect`: a property's name as in
 * qubes.xml, `feature:NAME`, `tag:NAME`, `firewall`, `rule:N`, or a rule as `firewall get` shows it.
 */
export const blameAspect = (reading: Reading, object: string, aspect: string): Result<readonly Blamed[], Failure> => {
  const there = mustExist(reading, object);
  if (!there.ok) return there;
  const rule = aspect.startsWith('rule:') ? aspect.slice('rule:'.length) : aspect.startsWith('action=') ? aspect : null;
  if (rule === null && aspect !== 'firewall') {
    const blamed = blameSetting(reading, object, aspect);
    return blamed.ok ? ok([blamed.value]) : blamed;
  }
  const blamed = blameRules(reading, object as VmName);
  return rule === null || !blamed.ok ? blamed : oneRule(blamed.value, object as VmName, rule);
};
