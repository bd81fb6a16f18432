import type { Command } from '../../domain/decide.ts';
import type { Failure } from '../../domain/failure.ts';
import { type Host, volumeOf } from '../../domain/host/host.ts';
import { volumeKey } from '../../domain/names.ts';
import { err, type Result } from '../../domain/result.ts';
import type { BackedUpVm } from '../backup/contents.ts';
import type { Actor } from '../ledger/accept.ts';
import { currentHost } from '../ledger/state.ts';
import type { Service } from '../service/service.ts';
import { submit, takeBack } from '../service/submit.ts';
import { planVm, type VmPlan, type Wishes } from './plan-vm.ts';
import type { Survey } from './read-through.ts';

type RestoredVolume = {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly pool: string;
};

/** What became of one VM. `problem`: why it is not here; null when it is. */
export type Restored = {
  readonly name: string;
  readonly as: string | null;
  readonly volumes: readonly RestoredVolume[];
  readonly firewall: boolean;
  readonly warnings: readonly string[];
  readonly problem: string | null;
  readonly command: string | null;
};

export type Restore = {
  readonly survey: Survey;
  /** the file's name, for the log */
  readonly backup: string;
  readonly vms: readonly BackedUpVm[];
  readonly wishes: Wishes;
  readonly actor: Actor;
  readonly reason: string | null;
  /** the ids of the commands, from the one the user gave */
  readonly idFor: (vm: string) => string | null;
  readonly build: (name: Command['name'], payload: unknown) => Promise<Result<Command, Failure>>;
};

const rank = ({ class: vmClass, settings }: BackedUpVm): number => {
  if (vmClass === 'TemplateVM') return 0;
  return settings.properties['template_for_dispvms'] === 'True' ? 1 : 2;
};

/** Templates first, then those that disposables are made from; otherwise as the backup has them. */
const inOrder = (vms: readonly BackedUpVm[]): readonly BackedUpVm[] => [...vms].sort((a, b) => rank(a) - rank(b));

const notRestored = (name: string, problem: string, warnings: readonly string[] = []): Restored => ({
  name,
  as: null,
  volumes: [],
  firewall: false,
  warnings,
  problem,
  command: null,
});

const restored = (host: Host, plan: VmPlan, command: string): Restored => ({
  name: plan.was,
  as: plan.name,
  volumes: plan.volumes.map(({ name, size, sha256 }) => ({
    name,
    size,
    sha256,
    pool: volumeOf(host, volumeKey(plan.name, name))?.spec.pool ?? '',
  })),
  firewall: plan.firewall,
  warnings: plan.warnings,
  problem: null,
  command,
});

const reasonOf = ({ code, message, cause }: Failure, name: string): string => {
  const hint = code === 'D_EXISTS' ? ` (--rename ${name}=NEW)` : '';
  return `${cause ? `${message}: ${cause}` : message}${hint}`;
};

const givenBack = async (service: Service, id: string): Promise<string> => {
  const back = await takeBack(service, id);
  const left = !back.ok || back.value?.outcome === 'stuck';
  return left ? ' (what was begun is still there: domtrail recover)' : '';
};

const restoreOne = async (service: Service, restore: Restore, plan: VmPlan): Promise<Restored> => {
  const { survey, backup, actor, reason } = restore;
  const from = { name: backup, id: survey.header.backupId, was: plan.was };
  const command = await restore.build('RestoreVM', { ...plan.payload, backup: from });
  if (!command.ok) return notRestored(plan.was, reasonOf(command.error, plan.was), plan.warnings);
  const submitted = await submit(service, { command: command.value, id: restore.idFor(plan.was), reason, actor });
  if (!submitted.ok) return notRestored(plan.was, reasonOf(submitted.error, plan.was), plan.warnings);
  const { failure, id } = submitted.value;
  if (failure)
    return notRestored(plan.was, `${reasonOf(failure, plan.was)}${await givenBack(service, id)}`, plan.warnings);
  return restored(currentHost(service.ledger), plan, id);
};

type Done = { readonly plan: VmPlan | null; readonly vm: Restored };

/** References among the VMs of a backup can be set when all of them are there. */
const setLater = async (service: Service, restore: Restore, { plan, vm }: Done): Promise<Restored> => {
  if (!plan || vm.problem !== null) return vm;
  const warnings = [...vm.warnings];
  for (const { property, value } of plan.later) {
    const command = await restore.build('SetProperty', { vm: plan.name, name: property, value });
    const { actor, reason } = restore;
    const set = command.ok ? await submit(service, { command: command.value, id: null, reason, actor }) : command;
    const failed = set.ok ? set.value.failure : set.error;
    if (failed) warnings.push(`${property}=${value} is left at its default: ${failed.message}`);
  }
  return { ...vm, warnings };
};

/** Restores one VM after the other: each is there as a whole or not at all, and one that fails does not stop the rest. */
export const restoreVms = async (service: Service, restore: Restore): Promise<readonly Restored[]> => {
  const together = new Set(restore.vms.map(({ name }) => name));
  const done: Done[] = [];
  for (const vm of inOrder(restore.vms)) {
    const { survey, wishes } = restore;
    const plan = planVm({ host: currentHost(service.ledger), survey, vm, wishes, together });
    if (plan.ok) done.push({ plan: plan.value, vm: await restoreOne(service, restore, plan.value) });
    else done.push({ plan: null, vm: notRestored(vm.name, plan.error) });
  }
  const all: Restored[] = [];
  for (const one of done) all.push(await setLater(service, restore, one));
  return all;
};

/** The commands that a restore would give, for `--plan`: nothing is asked of a pool. */
export const plannedVms = (host: Host, restore: Pick<Restore, 'survey' | 'vms' | 'wishes'>) => {
  const together = new Set(restore.vms.map(({ name }) => name));
  const { survey, wishes } = restore;
  return inOrder(restore.vms).map((vm) => {
    const plan = planVm({ host, survey, vm, wishes, together });
    const taken = plan.ok && host.vms.has(plan.value.name);
    return { vm, plan: taken ? err(`there is a VM ${plan.value.name} already (--rename ${vm.name}=NEW)`) : plan };
  });
};
