import { describe, expect, test } from 'vitest';
import type { LvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { cases, lvm, type Row, spoken, usual } from './commands.ts';

/** Each row on a volume group of its own; `check` sees it afterwards. */
const table = (rows: readonly Row[], prepare: (model: LvmModel) => void = () => undefined): void => {
  test.each(cases(rows))('$what', ({ line, exitCode, said }) => {
    const model = usual();
    prepare(model);
    const answer = lvm(model, line);
    expect(spoken(answer)).toEqual(said);
    expect(answer.exitCode).toBe(exitCode);
  });
};

describe('lvrename', () => {
  table([
    [
      'ok',
      'lvrename -- qubes_dom0/vm-a-private qubes_dom0/vm-a-private-1-back',
      0,
      'O Renamed "vm-a-private" to "vm-a-private-1-back" in volume group "qubes_dom0"',
    ],
    [
      'the old name is missing',
      'lvrename -- qubes_dom0/vm-missing qubes_dom0/vm-n',
      5,
      'E Existing logical volume "vm-missing" not found in volume group "qubes_dom0"',
    ],
    [
      'the new name exists',
      'lvrename -- qubes_dom0/vm-a-private qubes_dom0/vm-b',
      5,
      'E Logical Volume "vm-b" already exists in volume group "qubes_dom0"',
    ],
    [
      'it was done already: the missing old name is told first',
      'lvrename -- qubes_dom0/vm-gone qubes_dom0/vm-b',
      5,
      'E Existing logical volume "vm-gone" not found in volume group "qubes_dom0"',
    ],
    [
      'both names are the same',
      'lvrename -- qubes_dom0/vm-b qubes_dom0/vm-b',
      3,
      'E Old and new logical volume names must differ',
    ],
    [
      'two volume groups',
      'lvrename -- qubes_dom0/vm-b other/vm-c',
      3,
      'E Logical volume names must have the same volume group ("qubes_dom0" or "other")',
    ],
  ]);

  test('keeps UUID, thin id, tags and open handles, also of a device in use', () => {
    const model = usual();
    model.writeAt('vm-b', 0, 'content');
    const before = model.find('vm-b');
    const device = model.open('vm-b');
    expect(lvm(model, 'lvrename -- qubes_dom0/vm-b qubes_dom0/vm-c').exitCode).toBe(0);
    expect(model.find('vm-c')).toMatchObject({
      uuid: before?.uuid,
      thinId: before?.thinId,
      open: 1,
      time: before?.time,
    });
    expect(device.readAt(0, 7)).toBe('content');
  });

  test('children show the new name of their origin, with the same UUID', () => {
    const model = usual();
    const uuid = model.find('vm-b')?.uuid;
    model.snapshot('vm-b', 'vm-b-snap');
    model.rename('vm-b', 'vm-b-1-back');
    expect(lvm(model, 'lvs --noheadings -o origin,origin_uuid qubes_dom0/vm-b-snap').stdout.trim()).toBe(
      `vm-b-1-back ${uuid}`,
    );
  });
});

describe('lvremove', () => {
  table([
    ['ok', 'lvremove --force -- qubes_dom0/vm-b', 0, 'O Logical volume "vm-b" successfully removed.'],
    [
      'missing',
      'lvremove --force -- qubes_dom0/vm-missing',
      5,
      'E Failed to find logical volume "qubes_dom0/vm-missing"',
    ],
    [
      'the volume group is missing',
      'lvremove --force -- novg/vm-b',
      5,
      'E Volume group "novg" not found',
      'E Cannot process volume group novg',
    ],
    [
      'one of several is missing: the others are removed',
      'lvremove --force -- qubes_dom0/vm-b qubes_dom0/vm-missing',
      5,
      'O Logical volume "vm-b" successfully removed.',
      'E Failed to find logical volume "qubes_dom0/vm-missing"',
    ],
    ['by a tag nobody has', 'lvremove -f @dt.cmd=none', 0],
    [
      'compared with another UUID: nothing happens and that is success',
      'lvremove -y -S lv_uuid=other qubes_dom0/vm-b',
      0,
    ],
    [
      'compared, and the name is gone',
      'lvremove -y -S lv_uuid=other qubes_dom0/vm-missing',
      5,
      'E Failed to find logical volume "qubes_dom0/vm-missing"',
    ],
    ['compared without a name, and it is gone', 'lvremove -y -S lv_uuid=other qubes_dom0', 0],
  ]);

  test('compared with the right UUID removes exactly that one', () => {
    const model = usual();
    const uuid = model.find('vm-b')?.uuid;
    expect(lvm(model, `lvremove --force -y -S lv_uuid=${uuid} -- qubes_dom0/vm-a-private`)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(lvm(model, `lvremove --force -y -S lv_uuid=${uuid} -- qubes_dom0/vm-b`).exitCode).toBe(0);
    expect([...model.state().lvs.values()].map(({ name }) => name)).toEqual(['vm-a-private']);
  });

  test('by a tag removes all that have it', () => {
    const model = usual();
    model.create('vm-c', 512, { tags: ['x'] });
    model.create('vm-d', 512, { tags: ['x', 'y'] });
    expect(spoken(lvm(model, 'lvremove -f @x'))).toEqual([
      'O Logical volume "vm-c" successfully removed.',
      'O Logical volume "vm-d" successfully removed.',
    ]);
  });

  test('is refused while the device is open, and so is its deactivation', () => {
    const model = usual();
    const device = model.open('vm-b');
    const inUse = ['E Logical volume qubes_dom0/vm-b in use.'];
    expect(spoken(lvm(model, 'lvremove --force -- qubes_dom0/vm-b'))).toEqual(inUse);
    expect(spoken(lvm(model, 'lvchange -an qubes_dom0/vm-b'))).toEqual(inUse);
    device.close();
    expect(lvm(model, 'lvremove --force -- qubes_dom0/vm-b').exitCode).toBe(0);
  });

  test('works on an inactive LV, and on an origin, whose children forget it', () => {
    const model = usual();
    model.snapshot('vm-b', 'vm-b-snap');
    model.deactivate('vm-b');
    expect(lvm(model, 'lvremove --force -- qubes_dom0/vm-b').exitCode).toBe(0);
    const origin = lvm(model, 'lvs --reportformat json -o origin,origin_uuid qubes_dom0/vm-b-snap');
    expect(JSON.parse(origin.stdout)).toEqual({ report: [{ lv: [{ origin: '', origin_uuid: '' }] }] });
  });
});

describe('lvresize', () => {
  const A = 'qubes_dom0/vm-a-private';
  const changed = (from: string, to: string): readonly string[] => [
    `O Size of logical volume ${A} changed from ${from} to ${to}.`,
    `O Logical volume ${A} successfully resized.`,
  ];
  const warning = [
    'E WARNING: Reducing active logical volume to 32.00 MiB.',
    'E THIS MAY DESTROY YOUR DATA (filesystem etc.)',
  ];
  table([
    ['grow', `lvresize --size=71303168B -- ${A}`, 0, ...changed('64.00 MiB (16 extents)', '68.00 MiB (17 extents)')],
    [
      'the same size',
      `lvresize --size=67108864B -- ${A}`,
      5,
      'E New size (16 extents) matches existing size (16 extents).',
    ],
    [
      'the same number of extents',
      `lvresize --size=66060288B -- ${A}`,
      5,
      'O Rounding size to boundary between physical extents: 64.00 MiB.',
      'E New size (16 extents) matches existing size (16 extents).',
    ],
    [
      'no multiple of 512',
      `lvresize --size=5242881B -- ${A}`,
      3,
      'E Size is not a multiple of 512. Try using 5242880 or 5243392.',
      'E Invalid argument for --size: 5242881B',
      'E Error during parsing of command line.',
    ],
    [
      'a shrink with nothing on standard input',
      `lvresize --size=33554432B -- ${A}`,
      5,
      ...warning,
      `E Do you really want to reduce ${A}? [y/n]: [n]`,
      `E Logical volume ${A} NOT reduced.`,
    ],
    [
      'a shrink with -y',
      `lvresize -y --size=33554432B -- ${A}`,
      0,
      ...changed('64.00 MiB (16 extents)', '32.00 MiB (8 extents)'),
      ...warning,
    ],
    [
      'a shrink with --force',
      `lvresize --force --size=33554432B -- ${A}`,
      0,
      ...changed('64.00 MiB (16 extents)', '32.00 MiB (8 extents)'),
      ...warning,
    ],
    [
      'missing',
      'lvresize --size=4M -- qubes_dom0/vm-missing',
      5,
      'E Logical volume vm-missing not found in volume group qubes_dom0.',
    ],
    [
      'lvextend to less',
      'lvextend -L 8M qubes_dom0/vm-b',
      5,
      'E New size given (2 extents) not larger than existing size (7 extents)',
    ],
    [
      'lvextend to the same',
      'lvextend -L 28M qubes_dom0/vm-b',
      5,
      'E New size (7 extents) matches existing size (7 extents).',
    ],
  ]);
});

describe('lvchange', () => {
  table([
    ['--activate=y of what is active', 'lvchange --activate=y -- qubes_dom0/vm-b', 0],
    ['--activate=n', 'lvchange --activate=n -- qubes_dom0/vm-b', 0],
    ['by the path of the device', 'lvchange --activate=y -- /dev/qubes_dom0/vm-b', 0],
    [
      'missing',
      'lvchange --activate=y -- qubes_dom0/vm-missing',
      5,
      'E Failed to find logical volume "qubes_dom0/vm-missing"',
    ],
    [
      'a tag',
      'lvchange --addtag a.b-c_d+e/f=g!h:i&j#k qubes_dom0/vm-b',
      0,
      'O Logical volume qubes_dom0/vm-b changed.',
    ],
    [
      'a tag to remove that is not there',
      'lvchange --deltag x qubes_dom0/vm-b',
      0,
      'O Logical volume qubes_dom0/vm-b changed.',
    ],
    [
      'a tag with a blank',
      "lvchange --addtag 'bad tag' qubes_dom0/vm-b",
      3,
      'E Invalid argument for --addtag: bad tag',
      'E Error during parsing of command line.',
    ],
  ]);

  test('an inactive LV has no device and no data percent', () => {
    const model = usual();
    lvm(model, 'lvchange -an qubes_dom0/vm-b');
    const { stdout } = lvm(model, 'lvs --reportformat json -o lv_attr,lv_active,data_percent qubes_dom0/vm-b');
    expect(JSON.parse(stdout).report[0].lv).toEqual([{ lv_attr: 'Vwi---t---', lv_active: '', data_percent: '' }]);
  });
});
