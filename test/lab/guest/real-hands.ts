import { open } from 'node:fs/promises';
import { flushPhysical } from '../../../infrastructure/drivers/lvm-thin/flush.ts';
import { run } from '../../../infrastructure/process/run.ts';
import { readFileAt } from '../../drivers/source-file.ts';
import type { Hands } from '../../storage/hands.ts';
import { labPool, must, removeAll } from './real-bench.ts';

const writeAt: Hands['writeAt'] = async (path, offset, text) => {
  const handle = await open(path, 'r+');
  try {
    await handle.write(Buffer.from(text, 'latin1'), 0, text.length, offset);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** The lab's thin pool, empty; emptied again afterwards. Throws anywhere but in the lab machine. */
export const realHands = async (): Promise<Hands> => {
  await labPool();
  return {
    run,
    flush: flushPhysical({ run, uid: 0 }),
    writeAt,
    readAt: readFileAt,
    holdOpen: async (path) => {
      const handle = await open(path, 'r');
      return () => handle.close();
    },
    // Without the kernel's own start: LVM takes every device away and sets it up anew from the disk.
    reboot: async () => {
      await must('lvm', 'vgchange', '-q', '--activate=n', 'qubes_dom0');
      await must('lvm', 'vgchange', '-q', '--activate=y', 'qubes_dom0');
    },
    cleanup: removeAll,
  };
};
