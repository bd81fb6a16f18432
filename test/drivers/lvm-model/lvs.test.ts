import { describe, expect, test } from 'vitest';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { lvm, spoken, usual } from './commands.ts';

const names = (stdout: string): readonly string[] =>
  JSON.parse(stdout).report[0].lv.map((row: { readonly lv_name: string }) => row.lv_name);

describe('lvs', () => {
  test('gives every value as text, sizes with or without their unit', () => {
    const model = usual();
    const plain = lvm(model, 'lvs --reportformat json --units b --nosuffix -o lv_size,thin_id qubes_dom0/vm-a-private');
    expect(JSON.parse(plain.stdout)).toEqual({ report: [{ lv: [{ lv_size: '67108864', thin_id: '1' }] }] });
    const unit = lvm(model, 'lvs --reportformat json --units b -o lv_size qubes_dom0/vm-a-private');
    expect(JSON.parse(unit.stdout)).toEqual({ report: [{ lv: [{ lv_size: '67108864B' }] }] });
  });

  test('an empty selection is an empty list and success; a missing name is the same list and exit 5', () => {
    const model = usual();
    const none = lvm(model, "lvs --reportformat json -o lv_name -S 'lv_tags=nobody' qubes_dom0");
    expect([none.exitCode, names(none.stdout)]).toEqual([0, []]);
    const missing = lvm(model, 'lvs --reportformat json -o lv_name qubes_dom0/vm-missing');
    expect([missing.exitCode, names(missing.stdout)]).toEqual([5, []]);
    expect(missing.stderr).toContain('Failed to find logical volume "qubes_dom0/vm-missing"');
  });

  test('does not know json_std', () => {
    expect(spoken(lvm(usual(), 'lvs --reportformat json_std'))).toEqual([
      'E Invalid argument for --reportformat: json_std',
    ]);
  });

  test.each([
    ["-S 'lv_name=~^vm-a-' qubes_dom0", ['vm-a-private']],
    ["-S 'lv_tags=x' qubes_dom0", ['vm-c']],
    ["-S 'lv_tags={x}' qubes_dom0", ['vm-c']],
    ['@x', ['vm-c']],
    ['qubes_dom0', ['vm-a-private', 'vm-b', 'vm-c', 'vm-pool']],
  ])('selects by %s', (selection, expected) => {
    const model = usual();
    model.create('vm-c', 512, { tags: ['x'] });
    expect(names(lvm(model, `lvs --reportformat json -o lv_name ${selection}`).stdout)).toEqual(expected);
  });

  test('gives the creation time to the second, with its zone', () => {
    expect(lvm(usual(), 'lvs --noheadings -o lv_time qubes_dom0/vm-b').stdout).toMatch(
      /^ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000\n$/,
    );
  });

  test('a disk that is away looks like a volume group that never was', () => {
    const model = usual();
    model.setVisible(false);
    for (const line of ['lvs qubes_dom0', 'lvremove --force -- qubes_dom0/vm-b', 'lvchange -ay qubes_dom0/vm-b']) {
      expect(spoken(lvm(model, line))).toEqual([
        'E Volume group "qubes_dom0" not found',
        'E Cannot process volume group qubes_dom0',
      ]);
    }
    model.setVisible(true);
    expect(lvm(model, 'lvs qubes_dom0').exitCode).toBe(0);
  });
});

describe('the sequence number of the metadata', () => {
  test.each([
    ['create', 'lvcreate -T -kn -ay -n vm-n -V 4M qubes_dom0/vm-pool', 2],
    ['snapshot', 'lvcreate -kn -ay -s qubes_dom0/vm-b -n vm-n', 2],
    ['remove', 'lvremove -f qubes_dom0/vm-b', 2],
    ['rename', 'lvrename qubes_dom0/vm-b qubes_dom0/vm-c', 1],
    ['resize', 'lvresize -L 32M qubes_dom0/vm-b', 1],
    ['a tag that is there already', 'lvchange --addtag x qubes_dom0/vm-a-private', 1],
    ['deactivate', 'lvchange -an qubes_dom0/vm-b', 0],
    ['a refused command', 'lvrename qubes_dom0/vm-x qubes_dom0/vm-c', 0],
  ])('%s raises it by what was measured', (_, line, by) => {
    const model = usual();
    model.relabel('vm-a-private', (lv) => ({ ...lv, tags: ['x'] }));
    const before = Number(lvm(model, 'vgs --noheadings -o vg_seqno qubes_dom0').stdout);
    lvm(model, line);
    expect(Number(lvm(model, 'vgs --noheadings -o vg_seqno qubes_dom0').stdout) - before).toBe(by);
  });

  test('the archive keeps each command line, with the state before it', () => {
    const model = usual();
    const before = model.state().seqno;
    lvm(model, `lvrename --config 'config/checks=0 domtrail/step="c/1"' -- qubes_dom0/vm-b qubes_dom0/vm-c`);
    expect(model.state().archive.at(-1)).toMatchObject({
      seqno: before,
      description: `Created *before* executing 'lvrename --config 'config/checks=0 domtrail/step="c/1"' -- qubes_dom0/vm-b qubes_dom0/vm-c'`,
    });
  });
});

describe('the other programs', () => {
  test('dmsetup tells the transaction id of the kernel, and whose device a name is', async () => {
    const model = usual();
    const run = runOnModel(model);
    const status = await run(['dmsetup', 'status', 'qubes_dom0-vm--pool-tpool']);
    expect(status.stdout).toMatch(/^0 1024000 thin-pool 2 /);
    const uuid = model.find('vm-b')?.uuid.replaceAll('-', '') ?? '';
    const info = await run(['dmsetup', 'info', '-c', '-o', 'uuid,open', 'qubes_dom0-vm--b']);
    expect(info.stdout).toMatch(new RegExp(`^LVM-.{32}${uuid} 0\n$`));
    expect((await run(['dmsetup', 'info', '-c', '-o', 'uuid,open', 'qubes_dom0-vm--x'])).evidence.exitCode).toBe(1);
  });

  test('blkdiscard of a device that is missing fails, of an existing one leaves zeros', async () => {
    const model = usual();
    const run = runOnModel(model);
    const missing = await run(['blkdiscard', '-p', '1G', '/dev/mapper/qubes_dom0-vm--x']);
    expect(missing.evidence).toMatchObject({
      exitCode: 1,
      stderr: 'blkdiscard: cannot open /dev/mapper/qubes_dom0-vm--x: No such file or directory\n',
    });
    model.writeAt('vm-b', 0, 'x');
    expect((await run(['sudo', 'blkdiscard', '-p', '1G', '/dev/mapper/qubes_dom0-vm--b'])).evidence.exitCode).toBe(0);
    expect(model.readAt('vm-b', 0, 1)).toBe('\0');
  });

  test('a program that is not there ends like one', async () => {
    expect((await runOnModel(usual())(['virsh'])).evidence.exitCode).toBe(127);
  });
});
