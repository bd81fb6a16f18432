import { expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import { lvmHost } from './lvm-host.ts';
import { session, withWork } from './suite.ts';
import { troubledModel } from './troubles.ts';

const KEY = 'work:private';

test('metadata nearly used up: nothing new is begun, stop and gc go on, and LVM itself would have refused', async () => {
  const hands = troubledModel();
  const host = await lvmHost(hands);
  try {
    await withWork(host);
    await session(host, KEY, 'first');
    await host.does(to.start('work'));
    hands.model.fragment(64);
    const { failure } = await host.submit(to.cloneVm('work', 'copy'));
    expect(failure).toMatchObject({ code: 'D_POOL_RESERVE', message: expect.stringContaining('of metadata left') });
    expect(failure?.couldFree).toMatchObject([{ is: 'revision' }]);
    const { evidence } = await hands.run([
      'lvm',
      'lvcreate',
      '--thin',
      '--name=vm-x',
      '--virtualsize=4194304B',
      '--',
      'qubes_dom0/vm-pool',
    ]);
    expect(evidence.exitCode).toBe(5);
    expect(evidence.stderr).toMatch(/Remaining free space in metadata .* is too low \(\d+\.\d\d% >= 75\.00%\)/);
    await host.does(to.stop('work'), to.keep(KEY, 0));
    hands.model.fragment(0);
    await host.does(to.cloneVm('work', 'copy'));
    expect(await host.problems()).toEqual([]);
  } finally {
    await host.cleanup();
  }
});
