import { firstFirewall } from '../firewall/plan.ts';
import { holdVm } from '../holds.ts';
import type { VmName } from '../names.ts';
import { mustBeRemovable, planRemoval } from '../vm/decide-remove.ts';
import { freeQid } from '../vm/new-vm.ts';
import { type Vm, volumesOf } from '../vm/vm.ts';
import { volumeReturns } from './returning.ts';
import { settingsBack } from './settings.ts';
import { volumesBack } from './volumes.ts';
import { hold, refuse, type WayBack } from './way-back.ts';

const machineGoes = (way: WayBack, vm: Vm): void => {
  const removable = mustBeRemovable(vm);
  if (!removable.ok) way.refused.push(removable.error);
  else planRemoval(way.builder, vm);
  hold(way, ...holdVm(vm));
};

/** Its own number, unless another VM got it meanwhile. */
const qidFor = (way: WayBack, { name, properties }: Vm): Readonly<Record<string, string>> => {
  const { qid } = properties;
  const taken = qid !== undefined && [...way.host.vms.values()].some((other) => other.properties['qid'] === qid);
  if (!taken) return properties;
  const free = `${freeQid(way.host)}`;
  way.lost.push(`${name} gets the number ${free}: another VM has its ${qid} now`);
  return { ...properties, qid: free };
};

const machineComes = (way: WayBack, past: Vm): void => {
  const { builder, context } = way;
  builder.fact({
    type: 'VmCreated',
    vm: past.name,
    class: past.class,
    properties: qidFor(way, past),
    features: past.features,
    ...(past.featureOrder ? { featureOrder: past.featureOrder } : {}),
    tags: past.tags,
    ...(past.devices ? { devices: past.devices } : {}),
    volumes: volumesOf(past).map(({ spec }) => spec),
    clonedFrom: null,
  });
  if (past.notes) builder.fact({ type: 'NotesSet', vm: past.name, text: past.notes });
  for (const volume of volumesOf(past)) volumeReturns(way, volume);
  if (past.firewall) firstFirewall(builder, past, { rules: past.firewall.rules, asOf: context.now }, 'undone');
  hold(way, ...holdVm(past));
};

/** Nothing is started or stopped by going back: a session belongs to whoever uses the VM. */
const tellPower = ({ lost }: WayBack, now: Vm | null, past: Vm): void => {
  const [runs, ran] = [now?.power.is === 'running', past.power.is === 'running'];
  if (ran && !runs) lost.push(`${past.name} was running: it stays halted, and its volatile volumes are gone`);
  if (runs && !ran) lost.push(`${past.name} is running and goes on: domtrail vm stop ${past.name} [--discard]`);
};

const isAnother = (now: Vm, past: Vm): boolean =>
  now.class !== past.class || now.properties['uuid'] !== past.properties['uuid'];

/** A VM as it was (null: there was none), or only one of its volumes. */
export const machineBack = (way: WayBack, name: VmName, past: Vm | null, only: string | null): void => {
  const now = way.host.vms.get(name) ?? null;
  if (only !== null && !(now && past)) {
    refuse(way, `VM ${name} itself came or went since: take all of it`, `domtrail op restore OP --only ${name}`);
  } else if (now && past && isAnother(now, past)) {
    refuse(way, `there is another VM ${name} now`, `domtrail vm remove ${name}`);
  } else if (now && past) {
    if (only === null) settingsBack(way, now, past);
    volumesBack(way, now, past, only);
  } else if (now) machineGoes(way, now);
  else if (past) machineComes(way, past);
  if (past && only === null) tellPower(way, now, past);
};
