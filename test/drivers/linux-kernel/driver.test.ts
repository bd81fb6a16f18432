import { describe, expect, test } from 'vitest';
import type { DiskId, Place } from '../../../domain/disk.ts';
import type { PoolName } from '../../../domain/names.ts';
import { linuxKernelDriver } from '../../../infrastructure/drivers/linux-kernel/driver.ts';

const driver = linuxKernelDriver({ dir: '/var/lib/qubes/vm-kernels' });
const at = (vid: string): Place => ({ pool: 'linux-kernel' as PoolName, vid, role: { kind: 'current' } });

describe('a linux-kernel pool', () => {
  test('gives a VM the modules of its kernel', () => {
    expect(driver.pathOf(at('6.6.48-1.fc37'))).toBe('/var/lib/qubes/vm-kernels/6.6.48-1.fc37/modules.img');
  });

  test('has no disks, and changes none', async () => {
    expect(await driver.survey()).toEqual({ ok: true, value: [] });
    const job = { command: 'c', step: 1, deed: { do: 'erase', disk: 'x' as DiskId, at: at('6.6') } } as const;
    expect((await driver.act(job)).failure?.code).toBe('D_DRIVER_REFUSES');
  });

  test('gives no path outside its directory', () => {
    for (const vid of ['', '.', '..', '../x', 'a/b', 'a\0']) expect(() => driver.pathOf(at(vid)), vid).toThrow();
  });
});
