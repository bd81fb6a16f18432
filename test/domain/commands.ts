import { parsePayload } from '../../domain/command/parse.ts';
import type { CommandName } from '../../domain/command/registry.ts';
import type { Command } from '../../domain/decide.ts';

/** A command whose payload went through its schema, as one from the command line does. */
const command = (name: CommandName, input: unknown): Command => {
  const payload = parsePayload(name, input);
  if (!payload.ok) throw new Error(`${name}: ${payload.error.message}`);
  return { name, payload: payload.value } as Command;
};

const split = (key: string): { readonly vm: string; readonly volume: string } => {
  const [vm = '', volume = ''] = key.split(':');
  return { vm, volume };
};

export const lvmPool = (name = 'lvm', more: object = {}) => ({
  driver: 'lvm_thin',
  name,
  volumeGroup: 'qubes_dom0',
  thinPool: 'vm-pool',
  revisionsToKeep: 1,
  ephemeralVolatile: false,
  ...more,
});
export const filePool = (name = 'files', more: object = {}) => ({
  driver: 'file-reflink',
  name,
  dir: '/var/lib/qubes',
  revisionsToKeep: 1,
  ephemeralVolatile: false,
  ...more,
});
export const kernelPool = { driver: 'linux-kernel', name: 'linux-kernel', dir: '/var/lib/qubes/vm-kernels' };

export const init = (...pools: readonly object[]): Command => command('InitHost', { pools: [...pools, kernelPool] });
export const addPool = (definition: object): Command => command('AddPool', { definition });
export const setReserve = (name: string, reserve: object | null): Command =>
  command('SetPoolReserve', { name, reserve });
export const removePool = (name: string): Command => command('RemovePool', { name });

export const adoptDrift = (...names: readonly string[]): Command => command('AdoptDrift', { names });
export const repairDrift = (...names: readonly string[]): Command => command('RepairDrift', { names });
export const ignoreDrift = (reason: string, ...differences: readonly object[]): Command =>
  command('IgnoreDrift', { differences, reason });
export const noticeDrift = (...objects: readonly string[]): Command => command('NoticeDrift', { objects });

type NewVm = { readonly template?: string; readonly label?: string; readonly pool?: string; readonly pools?: object };
const create =
  (vmClass: string) =>
  (name: string, { template, label, pool, pools }: NewVm = {}): Command =>
    command('CreateVM', {
      name,
      class: vmClass,
      template: template ?? null,
      label: label ?? null,
      pool: pool ?? null,
      pools: pools ?? {},
    });
export const templateVm = create('TemplateVM');
export const appVm = create('AppVM');
export const standaloneVm = create('StandaloneVM');
export const dispVm = create('DispVM');

export const cloneVm = (source: string, name: string, pool: string | null = null): Command =>
  command('CloneVM', { source, name, pool });
export const removeVm = (name: string): Command => command('RemoveVM', { name });
export const start = (name: string): Command => command('StartVM', { name });
export const stop = (name: string): Command => command('StopVM', { name, discard: false });
export const stopDiscarding = (name: string): Command => command('StopVM', { name, discard: true });
export const kill = (name: string): Command => command('KillVM', { name });
export const setProperty = (vm: string | null, name: string, value: string | null): Command =>
  command('SetProperty', { vm, name, value });
export const setFeature = (vm: string, name: string, value: string | null): Command =>
  command('SetFeature', { vm, name, value });
export const setDevice = (vm: string, device: object): Command => command('SetDevice', { vm, ...device });
export const setLabel = (name: string, color: string | null): Command => command('SetLabel', { name, color });
export const setNotes = (vm: string, text: string): Command => command('SetNotes', { vm, text });
export const setTag = (vm: string, name: string, present: boolean): Command => command('SetTag', { vm, name, present });

type NewVolume = {
  readonly bytes?: number;
  readonly rw?: boolean;
  readonly snapOnStart?: boolean;
  readonly saveOnStop?: boolean;
  readonly source?: string;
  readonly pool?: string;
  readonly revisionsToKeep?: number;
};
export const addVolume = (key: string, wish: NewVolume = {}): Command =>
  command('AddVolume', {
    ...split(key),
    bytes: wish.bytes ?? 2 ** 30,
    rw: wish.rw ?? true,
    snapOnStart: wish.snapOnStart ?? false,
    saveOnStop: wish.saveOnStop ?? true,
    source: wish.source ? split(wish.source) : null,
    pool: wish.pool ?? null,
    revisionsToKeep: wish.revisionsToKeep ?? null,
  });
export const removeVolume = (key: string): Command => command('RemoveVolume', split(key));
export const commit = (key: string): Command => command('CommitVolume', split(key));
export const discard = (key: string): Command => command('DiscardVolume', split(key));
export const revert = (key: string, revision: string | null = null): Command =>
  command('RevertVolume', { ...split(key), revision });
export const resize = (key: string, bytes: number, shrink = false): Command =>
  command('ResizeVolume', { ...split(key), bytes, shrink });
export const importFile = (key: string, path = '/tmp/disk.img', bytes = 2 ** 30, stamp = 'stamp'): Command =>
  command('ImportVolume', { ...split(key), from: { kind: 'file', path, bytes, stamp } });
export const importStdin = (key: string): Command =>
  command('ImportVolume', { ...split(key), from: { kind: 'stdin' } });
export const exportTo = (key: string, path = '/tmp/out.img'): Command =>
  command('ExportVolume', { ...split(key), to: { kind: 'file', path } });
export const backup = (path: string, ...vms: readonly string[]): Command =>
  command('BackupVM', { vms, to: { kind: 'file', path }, compression: 'none' });
export const cloneVolume = (source: string, target: string): Command =>
  command('CloneVolume', { source: split(source), target: split(target) });
export const setVolume = (key: string, change: object): Command => command('SetVolume', { ...split(key), change });
export const keep = (key: string, revisionsToKeep: number): Command => setVolume(key, { revisionsToKeep });
export const pin = (key: string, revision: string): Command => command('PinRevision', { ...split(key), revision });
export const unpin = (key: string, revision: string): Command => command('UnpinRevision', { ...split(key), revision });
export const collect = (...disks: readonly string[]): Command => command('CollectGarbage', { disks });
export const adoptStorage = (pool: string | null = null, ...vms: readonly string[]): Command =>
  command('AdoptStorage', { pool, vms });
export const recordReboot = (bootId: string): Command => command('RecordReboot', { bootId });
export const setFirewall = (vm: string, rules: readonly string[]): Command => command('SetFirewall', { vm, rules });
export const addRule = (vm: string, rule: string, before: number | null = null): Command =>
  command('AddRule', { vm, rule, before });
export const removeRule = (vm: string, which: number | string): Command =>
  command(
    'RemoveRule',
    typeof which === 'number' ? { vm, number: which, rule: null } : { vm, number: null, rule: which },
  );
export const restoreOperation = (payload: object): Command => command('RestoreOperation', payload);
export const reload = (vm: string): Command => command('ReloadFirewall', { vm });
export const rewriteKeys = (vm: string): Command => command('RewriteKeys', { vm });
export const expireRules = (vm: string): Command => command('ExpireRule', { vm });
