import { expect, test } from 'vitest';
import { ok } from '../../domain/result.ts';
import { lackOfRoom } from '../../infrastructure/restore/room.ts';
import type { Pools } from '../../infrastructure/runner/pools.ts';
import { smallHost } from '../domain/hosts.ts';

const GIB = 2 ** 30;

/** Pools of 100 GiB with 80 GiB used; a thin pool keeps 4 GiB of it back. */
const pools = {
  get: () => {
    const usage = { bytes: 100 * GIB, usedBytes: 80 * GIB, metadataBytes: GIB, metadataUsedBytes: 0 };
    return ok({ driver: { usage: async () => ok(usage) } });
  },
} as unknown as Pools;

const vm = (...data: readonly number[]) => ({
  volumes: data.map((bytes, n) => ({ name: n === 0 ? 'private' : 'root', size: 2 * bytes, data: bytes, sha256: '' })),
});

const TO = { pool: null, pools: {} };

test('VMs that fit one by one are refused when all of them together do not fit', async () => {
  const { host } = smallHost();
  const fits = await lackOfRoom(host, pools, { plans: [vm(5 * GIB), vm(5 * GIB, 5 * GIB)], to: TO });
  expect(fits).toBeNull();
  const lack = await lackOfRoom(host, pools, { plans: [vm(9 * GIB), vm(5 * GIB, 5 * GIB)], to: TO });
  expect(lack).toMatchObject({ code: 'D_POOL_RESERVE', message: expect.stringContaining('19.0 GiB') });
});
