import { devicePathOf, dmNameOf, metadataNameOf, poolDeviceOf } from '../lvm-thin/names.ts';
import { withoutDashes } from '../lvm-thin/report.ts';
import { capacityOf, usedBlocks } from './kernel.ts';
import type { LvmModel } from './model.ts';
import { KILLED, type Said } from './said.ts';
import { EXTENT, type Lv } from './state.ts';

const quiet = (stdout = ''): Said => ({ exitCode: 0, stdout, stderr: '' });
const broken = (...stderr: readonly string[]): Said => ({
  exitCode: 1,
  stdout: '',
  stderr: stderr.map((line) => `${line}\n`).join(''),
});

/** The active LV that a device's name or path belongs to. */
export const deviceNamed = (model: LvmModel, device: string): Lv | undefined => {
  const { lvs, volumeGroup } = model.state();
  for (const lv of lvs.values()) {
    const name = `${volumeGroup}/${lv.name}`;
    if (lv.active && [dmNameOf(name), devicePathOf(name), `/dev/${name}`].includes(device)) return lv;
  }
  return undefined;
};

const SECTOR = 512;

const poolStatus = (model: LvmModel): Said => {
  const state = model.state();
  const { pool, kernel } = state;
  const sectors = (pool.extents * EXTENT) / SECTOR;
  const used = usedBlocks(state);
  const data = `${used}/${capacityOf(state)}`;
  if (kernel.mode === 'failed') return quiet(`0 ${sectors} thin-pool Fail\n`);
  const writable = used >= capacityOf(state) ? 'out_of_data_space' : 'rw';
  const mode = kernel.mode === 'rw' ? writable : 'ro';
  const check = kernel.mode === 'rw' ? '-' : 'needs_check';
  return quiet(
    `0 ${sectors} thin-pool ${kernel.transactionId} ${state.lvs.size + 10}/1024 ${data} ${kernel.held ? 40 : '-'} ${mode} discard_passdown queue_if_no_space ${check} 1024 \n`,
  );
};

const noDevice = (): Said => broken('Device does not exist.', 'Command failed.');

/** What a thin volume is made of: where its pool is and its number there. */
const table = (model: LvmModel, device: string): Said => {
  const lv = deviceNamed(model, device);
  return lv ? quiet(`0 ${(lv.extents * EXTENT) / SECTOR} thin 253:2 ${lv.thinId}\n`) : noDevice();
};

const info = (model: LvmModel, device: string): Said => {
  const { volumeGroup, pool } = model.state();
  if (device === metadataNameOf(volumeGroup, pool.name)) return quiet(`LVM-${withoutDashes(pool.uuid)}-tmeta 1\n`);
  const lv = deviceNamed(model, device);
  if (!lv) return noDevice();
  const { seed } = model.state();
  const group = `${seed}`.padStart(32, 'V');
  return quiet(`LVM-${group}${withoutDashes(lv.uuid)} ${lv.open}\n`);
};

const refused = (why: string): Said =>
  broken(`device-mapper: message ioctl on  (253:3) failed: ${why}`, 'Command failed.');

const message = (model: LvmModel, text: string): Said => {
  if (text === 'reserve_metadata_snap') return model.holdMetadata(true) ? quiet() : refused('Device or resource busy');
  if (text === 'release_metadata_snap') return model.holdMetadata(false) ? quiet() : refused('Invalid argument');
  const [, from, to] = /^set_transaction_id (\d+) (\d+)$/.exec(text) ?? [];
  const set = from !== undefined && to !== undefined && model.setTransactionId(Number(from), Number(to));
  return set ? quiet() : refused('Invalid argument');
};

/** `dmsetup status POOL`, `table LV`, `info -c ... -o uuid,open NAME` and the messages to a pool that the driver sends. */
export const dmsetup = (model: LvmModel, args: readonly string[]): Said => {
  const { volumeGroup, pool } = model.state();
  const poolDevice = poolDeviceOf(volumeGroup, pool.name);
  const [command, first] = args;
  if (command === 'info') return info(model, args.at(-1) ?? '');
  if (command === 'table') return table(model, first ?? '');
  if (first !== poolDevice || !pool.active) return noDevice();
  return command === 'status' ? poolStatus(model) : message(model, args.at(-1) ?? '');
};

/** Discards, or writes zeros: either way the whole device reads as zeros afterwards. */
export const blkdiscard = (model: LvmModel, args: readonly string[]): Said => {
  const device = args.at(-1) ?? '';
  const lv = deviceNamed(model, device);
  if (!lv) return broken(`blkdiscard: cannot open ${device}: No such file or directory`);
  const outcome = model.discard(lv.name);
  if (outcome.ok) return quiet();
  return outcome.error.is === 'killed'
    ? KILLED
    : broken(`blkdiscard: ${device}: BLKDISCARD ioctl failed: Input/output error`);
};
