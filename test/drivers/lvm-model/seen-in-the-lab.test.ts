import { expect, test } from 'vitest';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { deviceStatusArgv } from '../../../infrastructure/drivers/lvm-thin/device-argv.ts';
import { parseReport } from '../../../infrastructure/drivers/lvm-thin/report.ts';
import { lvm, usual } from './commands.ts';

// Where the model once said something else than lvm2 2.03.16 did (test/lab/guest/words.guest.ts).

test('of an LV without a device lvs does not know whether it is open', () => {
  const model = usual();
  lvm(model, 'lvcreate --snapshot --name=qubes_dom0/vm-skip -- qubes_dom0/vm-b');
  const { stdout } = lvm(model, 'lvs --reportformat json -o lv_name,lv_device_open -- qubes_dom0/vm-skip');
  expect(JSON.parse(stdout).report[0].lv).toEqual([{ lv_name: 'vm-skip', lv_device_open: 'unknown' }]);
});

test('lvs of a volume group that is not there prints an empty report and fails', () => {
  const said = lvm(usual(), 'lvs --reportformat json -o lv_name -- novg');
  expect(said.exitCode).toBe(5);
  expect(parseReport(said.stdout)).toEqual({ ok: true, value: [] });
});

test('the question before a shrink is not indented, the lines around it are', () => {
  const { stderr } = lvm(usual(), 'lvresize --size=4194304B -- qubes_dom0/vm-b');
  expect(stderr.split('\n').slice(2)).toEqual([
    'Do you really want to reduce qubes_dom0/vm-b? [y/n]: [n]',
    '  Logical volume qubes_dom0/vm-b NOT reduced.',
    '',
  ]);
});

test('dmsetup does not repeat the name of a device that is not there', async () => {
  const { evidence } = await runOnModel(usual())(deviceStatusArgv('qubes_dom0-nopool-tpool'));
  expect(evidence).toMatchObject({ exitCode: 1, stderr: 'Device does not exist.\nCommand failed.\n' });
});

test('in a pool whose ids no crash explains nothing is made, and a removal drops the LV before it fails', () => {
  const model = usual();
  const { transactionId } = model.state().kernel;
  model.setTransactionId(transactionId, transactionId + 5);
  const said = lvm(model, 'lvcreate --snapshot --name=qubes_dom0/vm-s -- qubes_dom0/vm-b');
  expect(said).toMatchObject({
    exitCode: 5,
    stderr: [
      `  WARNING: Thin pool qubes_dom0/vm-pool has unexpected transaction id ${transactionId + 5}, expecting ${transactionId}.`,
      '  Cannot create new thin volume, free space in thin pool qubes_dom0/vm-pool reached threshold.',
      '',
    ].join('\n'),
  });
  expect(lvm(model, 'lvremove --force -y -- qubes_dom0/vm-b').stderr).toContain(
    `transaction_id is ${transactionId + 5}, while expected ${transactionId}.`,
  );
  expect(model.find('vm-b')).toBeUndefined();
  model.reboot();
  expect(lvm(model, 'lvchange --activate=y -- qubes_dom0/vm-pool').exitCode).toBe(5);
});
