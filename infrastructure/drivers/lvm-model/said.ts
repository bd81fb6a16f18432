import { poolDeviceOf } from '../lvm-thin/names.ts';
import type { Refusal, State } from './state.ts';

/** What a program answers. No exit code: it was killed. */
export type Said = { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string };

const lines = (texts: readonly string[]): string => texts.map((text) => `  ${text}\n`).join('');

/** LVM indents everything it says by two blanks. */
export const said = (exitCode: number, stdout: readonly string[], stderr: readonly string[] = []): Said => ({
  exitCode,
  stdout: lines(stdout),
  stderr: lines(stderr),
});

export const fine = (...stdout: readonly string[]): Said => said(0, stdout);
/** The operation failed. */
export const failed = (...stderr: readonly string[]): Said => said(5, [], stderr);
/** The command line was not accepted. */
export const rejected = (...stderr: readonly string[]): Said => said(3, [], stderr);

export const KILLED: Said = { exitCode: null, stdout: '', stderr: 'lvm: killed by SIGKILL' };

export const noGroup = (name: string): Said =>
  failed(`Volume group "${name}" not found`, `Cannot process volume group ${name}`);

const wedged = ({ volumeGroup, pool }: State, thinId: number): Said =>
  failed(
    'device-mapper: message ioctl on  (253:3) failed: File exists',
    `Failed to process message "create_snap ${thinId} 1".`,
    `Thin pool ${volumeGroup}-${pool.name}-tpool (253:3) already contain thin device with device_id ${thinId}.`,
    `Failed to suspend ${volumeGroup}/${pool.name} with queued messages.`,
  );

const strayWords = ({ volumeGroup, pool, kernel }: State, to: 'make' | 'activate' | 'send'): readonly string[] => {
  const name = `${volumeGroup}/${pool.name}`;
  const apart = `Thin pool ${poolDeviceOf(volumeGroup, pool.name)} (253:2) transaction_id is ${kernel.transactionId}, while expected ${pool.transactionId}.`;
  if (to === 'activate') return [apart];
  if (to === 'send') {
    const suspending = pool.active ? [`Failed to suspend ${name} with queued messages.`] : [];
    return [apart, ...suspending, `Failed to update pool ${name}.`];
  }
  if (!pool.active) return [apart, `Aborting. Failed to locally activate thin pool ${name}.`];
  return [
    `WARNING: Thin pool ${name} has unexpected transaction id ${kernel.transactionId}, expecting ${pool.transactionId}.`,
    `Cannot create new thin volume, free space in thin pool ${name} reached threshold.`,
  ];
};

/** The words for refusals that every command puts the same way; what is missing is put differently by each. */
export const refused = (state: State, refusal: Refusal, missing: (name: string) => Said): Said => {
  const { volumeGroup, pool } = state;
  switch (refusal.is) {
    case 'exists':
      return failed(`Logical Volume "${refusal.name}" already exists in volume group "${volumeGroup}"`);
    case 'missing':
      return missing(refusal.name);
    case 'in-use':
      return failed(`Logical volume ${volumeGroup}/${refusal.name} in use.`);
    case 'same-size':
      return failed(`New size (${refusal.extents} extents) matches existing size (${refusal.extents} extents).`);
    case 'not-reduced':
      return failed(`  Logical volume ${volumeGroup}/${refusal.name} NOT reduced.`);
    case 'full':
      return failed(
        `WARNING: Thin pool ${volumeGroup}/${pool.name} is out of data space.`,
        `Cannot create new thin volume, free space in thin pool ${volumeGroup}/${pool.name} reached threshold.`,
      );
    case 'metadata-low':
      return failed(
        `Remaining free space in metadata of thin pool ${volumeGroup}/${pool.name} is too low (${refusal.percent.toFixed(2)}% >= 75.00%). Resize is recommended.`,
        `Cannot create new thin volume, free space in thin pool ${volumeGroup}/${pool.name} reached threshold.`,
      );
    case 'read-only':
      return failed(
        `WARNING: Thin pool ${volumeGroup}/${pool.name} needs check has read-only metadata.`,
        `Cannot create new thin volume, free space in thin pool ${volumeGroup}/${pool.name} reached threshold.`,
      );
    case 'failed':
      return failed(
        `WARNING: Thin pool ${volumeGroup}/${pool.name} is failed.`,
        `Cannot create new thin volume, free space in thin pool ${volumeGroup}/${pool.name} reached threshold.`,
      );
    case 'unsent':
      return failed(
        `Cannot send messages to thin pool ${poolDeviceOf(volumeGroup, pool.name)} (253:3) with read only metadata which needs check first.`,
        `Failed to suspend ${volumeGroup}/${pool.name} with queued messages.`,
        `Failed to update pool ${volumeGroup}/${pool.name}.`,
      );
    case 'io-error':
      return failed(`/dev/${volumeGroup}: write failed after 0 of 4096 at 0: Input/output error`);
    case 'no-device':
      return failed('device-mapper: reload ioctl on  (253:5) failed: No data available');
    case 'wedged':
      return wedged(state, refusal.thinId);
    case 'stray':
      return failed(...strayWords(state, refusal.to));
    case 'unseen':
      return noGroup(volumeGroup);
    case 'killed':
      return KILLED;
  }
};

/** `64.00 MiB`, as LVM prints sizes to people. */
export const printedSize = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < 5) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(2)} ${['', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit]}`;
};
