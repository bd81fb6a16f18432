import { decideAdoptMoved } from './adoption/decide-moved.ts';
import { decideAdoptStorage } from './adoption/decide-storage.ts';
import { decideAdoptTestimony } from './adoption/decide-testimony.ts';
import { decideBackupVm } from './backup/decide.ts';
import type { CommandName, PayloadOf } from './command/registry.ts';
import type { Context, Decide, Decision } from './decision.ts';
import { decideAdoptHost } from './document/decide-adopt.ts';
import { decideAdoptDrift } from './drift/decide-adopt.ts';
import { decideIgnoreDrift, decideNoticeDrift, decideOverruleDocument } from './drift/decide-answer.ts';
import { decideRepairDrift } from './drift/decide-repair.ts';
import { failure } from './failure.ts';
import {
  decideAddRule,
  decideAdoptFirewall,
  decideExpireRule,
  decideReloadFirewall,
  decideRemoveRule,
  decideSetFirewall,
} from './firewall/decide.ts';
import { conflictWith } from './holds.ts';
import { decideGarbage, decideInit, decideReboot } from './host/decide.ts';
import { decideSetLabel } from './host/decide-label.ts';
import type { Host } from './host/host.ts';
import { beyondReserve } from './pool/admission.ts';
import { decideAddPool, decidePoolMended, decidePoolWound, decideRemovePool, decideSetReserve } from './pool/decide.ts';
import { decideRewriteKeys } from './qubesdb/decide-rewrite.ts';
import { decideRestoreVm } from './restore/decide.ts';
import { err } from './result.ts';
import { unsafeIn } from './safe-names.ts';
import { decideRestoreOperation } from './undo/decide.ts';
import { decideCloneVm } from './vm/decide-clone.ts';
import { decideCreateVm } from './vm/decide-create.ts';
import { decideSetDevice } from './vm/decide-device.ts';
import { decideKill, decideStart, decideStop } from './vm/decide-power.ts';
import { decideRemoveVm } from './vm/decide-remove.ts';
import { decideSetFeature, decideSetNotes, decideSetProperty, decideSetTag } from './vm/decide-settings.ts';
import { decideCloneVolume, decideExport, decideImport, decideRevert } from './volume/decide-content.ts';
import { decideResize } from './volume/decide-resize.ts';
import { decideCommit, decideDiscard } from './volume/decide-session.ts';
import { decideAddVolume, decidePin, decideRemoveVolume, decideSetVolume, decideUnpin } from './volume/decide-shape.ts';

const DECIDERS: { readonly [N in CommandName]: Decide<PayloadOf<N>> } = {
  InitHost: decideInit,
  AdoptHost: decideAdoptHost,
  RecordReboot: decideReboot,
  AdoptStorage: decideAdoptStorage,
  AdoptMoved: decideAdoptMoved,
  AdoptTestimony: decideAdoptTestimony,
  AdoptDrift: decideAdoptDrift,
  RepairDrift: decideRepairDrift,
  IgnoreDrift: decideIgnoreDrift,
  OverruleDocument: decideOverruleDocument,
  NoticeDrift: decideNoticeDrift,
  CollectGarbage: decideGarbage,
  AddPool: decideAddPool,
  RemovePool: decideRemovePool,
  SetPoolReserve: decideSetReserve,
  RecordPoolWound: decidePoolWound,
  RecordPoolMended: decidePoolMended,
  CreateVM: decideCreateVm,
  CloneVM: decideCloneVm,
  BackupVM: decideBackupVm,
  RestoreVM: decideRestoreVm,
  RemoveVM: decideRemoveVm,
  StartVM: decideStart,
  StopVM: decideStop,
  KillVM: decideKill,
  SetProperty: decideSetProperty,
  SetFeature: decideSetFeature,
  SetNotes: decideSetNotes,
  SetTag: decideSetTag,
  SetDevice: decideSetDevice,
  SetLabel: decideSetLabel,
  AddVolume: decideAddVolume,
  RemoveVolume: decideRemoveVolume,
  CommitVolume: decideCommit,
  DiscardVolume: decideDiscard,
  RevertVolume: decideRevert,
  ResizeVolume: decideResize,
  ImportVolume: decideImport,
  ExportVolume: decideExport,
  CloneVolume: decideCloneVolume,
  SetVolume: decideSetVolume,
  PinRevision: decidePin,
  UnpinRevision: decideUnpin,
  SetFirewall: decideSetFirewall,
  AdoptFirewall: decideAdoptFirewall,
  AddRule: decideAddRule,
  RemoveRule: decideRemoveRule,
  ReloadFirewall: decideReloadFirewall,
  ExpireRule: decideExpireRule,
  RewriteKeys: decideRewriteKeys,
  RestoreOperation: decideRestoreOperation,
};

/** A command as a value: a name and the payload its schema let through. */
export type Command = {
  readonly [N in CommandName]: { readonly name: N; readonly payload: PayloadOf<N> };
}[CommandName];

/**
 * What follows from a command in a state: the one door into the domain's rules. Pure: the same arguments give the same
 * decision, which is what lets `replay` run the whole command log again.
 */
export const decide = (host: Host, command: Command, context: Context): Decision => {
  if (!host.site && command.name !== 'InitHost') return err(failure('D_HOME_MISSING', 'the host is not initialised'));
  const decider = DECIDERS[command.name] as Decide<Command['payload']>;
  const decision = decider(host, command.payload, context);
  if (!decision.ok) return decision;
  const { holds, plan } = decision.value;
  const refused =
    unsafeIn(host, plan) ?? conflictWith(host, holds) ?? beyondReserve(host, { name: command.name, plan }, context);
  return refused ? err(refused) : decision;
};
