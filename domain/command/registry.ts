import type * as z from 'zod';
import * as adoption from '../adoption/commands.ts';
import * as backup from '../backup/commands.ts';
import * as document from '../document/commands.ts';
import * as drift from '../drift/commands.ts';
import * as firewall from '../firewall/commands.ts';
import * as host from '../host/commands.ts';
import * as pool from '../pool/commands.ts';
import * as qubesdb from '../qubesdb/commands.ts';
import * as restore from '../restore/commands.ts';
import * as undo from '../undo/commands.ts';
import * as vm from '../vm/commands.ts';
import * as volume from '../volume/commands.ts';

/** The schema of every command's payload, by the name it has in the log. Checked before a command is stored. */
export const COMMAND_SCHEMAS = {
  InitHost: host.initHost,
  RecordReboot: host.recordReboot,
  AdoptStorage: adoption.adoptStorage,
  AdoptHost: document.adoptHost,
  AdoptMoved: adoption.adoptMoved,
  AdoptTestimony: adoption.adoptTestimony,
  AdoptDrift: drift.driftTarget,
  RepairDrift: drift.driftTarget,
  IgnoreDrift: drift.ignoreDrift,
  OverruleDocument: drift.overruleDocument,
  NoticeDrift: drift.noticeDrift,
  CollectGarbage: host.collectGarbage,
  AddPool: pool.addPool,
  RemovePool: pool.removePool,
  SetPoolReserve: pool.setPoolReserve,
  RecordPoolWound: pool.recordPoolWound,
  RecordPoolMended: pool.recordPoolMended,
  CreateVM: vm.createVm,
  CloneVM: vm.cloneVm,
  BackupVM: backup.backupVm,
  RestoreVM: restore.restoreVm,
  RemoveVM: vm.vmTarget,
  StartVM: vm.vmTarget,
  StopVM: vm.stopVm,
  KillVM: vm.vmTarget,
  SetProperty: vm.setProperty,
  SetFeature: vm.setFeature,
  SetNotes: vm.setNotes,
  SetTag: vm.setTag,
  SetDevice: vm.setDevice,
  SetLabel: host.setLabel,
  AddVolume: volume.addVolume,
  RemoveVolume: volume.volumeTarget,
  CommitVolume: volume.volumeTarget,
  DiscardVolume: volume.volumeTarget,
  RevertVolume: volume.revertVolume,
  ResizeVolume: volume.resizeVolume,
  ImportVolume: volume.importVolume,
  ExportVolume: volume.exportVolume,
  CloneVolume: volume.cloneVolume,
  SetVolume: volume.setVolume,
  PinRevision: volume.pinRevision,
  UnpinRevision: volume.pinRevision,
  AdoptFirewall: firewall.adoptFirewall,
  SetFirewall: firewall.setFirewall,
  AddRule: firewall.addRule,
  RemoveRule: firewall.removeRule,
  ReloadFirewall: firewall.firewallTarget,
  ExpireRule: firewall.firewallTarget,
  RewriteKeys: qubesdb.rewriteKeys,
  RestoreOperation: undo.restoreOperation,
} as const;

export type CommandName = keyof typeof COMMAND_SCHEMAS;
export type PayloadOf<N extends CommandName> = z.infer<(typeof COMMAND_SCHEMAS)[N]>;
