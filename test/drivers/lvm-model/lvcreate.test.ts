import { describe, expect, test } from 'vitest';
import { cases, lvm, type Row, spoken, usual } from './commands.ts';

const CREATE = 'lvcreate --thin --setactivationskip=n --activate=y';
const LONG = 'n'.repeat(120);

/** Exit codes and words as recorded of lvm2 2.03.16. */
const ROWS: readonly Row[] = [
  [
    'a new one',
    `${CREATE} --name=vm-n --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    0,
    'O Logical volume "vm-n" created.',
  ],
  [
    'a name that exists',
    `${CREATE} --name=vm-a-private --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    5,
    'E Logical Volume "vm-a-private" already exists in volume group "qubes_dom0"',
  ],
  [
    'a size that is no multiple of 512',
    `${CREATE} --name=vm-n --virtualsize=5242881B -- qubes_dom0/vm-pool`,
    3,
    'E Size is not a multiple of 512. Try using 5242880 or 5243392.',
    'E Invalid argument for --virtualsize: 5242881B',
    'E Error during parsing of command line.',
  ],
  [
    'a size between two extents',
    `${CREATE} --name=vm-n --virtualsize=5243392B -- qubes_dom0/vm-pool`,
    0,
    'O Rounding up size to full physical extent 8.00 MiB',
    'O Logical volume "vm-n" created.',
  ],
  [
    'no size at all',
    `${CREATE} --name=vm-n --virtualsize=0B -- qubes_dom0/vm-pool`,
    3,
    'E --virtualsize may not be zero.',
    "E Run `lvcreate --help' for more information.",
  ],
  [
    'a pool that is missing',
    `${CREATE} --name=vm-n --virtualsize=4194304B -- qubes_dom0/nopool`,
    5,
    'E Pool nopool not found in Volume group qubes_dom0.',
  ],
  [
    'a volume group that is missing',
    `${CREATE} --name=vm-n --virtualsize=4194304B -- novg/vm-pool`,
    5,
    'E Volume group "novg" not found',
    'E Cannot process volume group novg',
  ],
  [
    'a name with a colon',
    `${CREATE} --name=bad:name --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    3,
    'E Logical volume name "bad:name" is invalid.',
    "E Run `lvcreate --help' for more information.",
  ],
  [
    'a name that begins with a reserved word',
    `${CREATE} --name=snapshot1 --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    3,
    'E Names starting "snapshot" are reserved. Please choose a different LV name.',
  ],
  [
    'a name with a reserved part',
    `${CREATE} --name=vm-a_tmeta --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    3,
    'E Names including "_tmeta" are reserved. Please choose a different LV name.',
  ],
  [
    'a name that is too long with its group',
    `${CREATE} --name=${LONG} --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    5,
    `E Full LV name "qubes_dom0/${LONG}" is too long.`,
    `E Internal error: LV name "qubes_dom0/${LONG}" length 131 is not supported.`,
  ],
  [
    'a name that is too long by itself',
    `${CREATE} --name=${LONG}12345678 --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    3,
    `E Logical volume name "${LONG}12345678" is invalid.`,
    "E Run `lvcreate --help' for more information.",
  ],
  [
    'a tag with a blank',
    `${CREATE} --addtag 'bad tag' --name=vm-n --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    3,
    'E Invalid argument for --addtag: bad tag',
    'E Error during parsing of command line.',
  ],
  [
    'a snapshot',
    'lvcreate --setactivationskip=n --activate=y --snapshot --name=qubes_dom0/vm-a-private-snap -- qubes_dom0/vm-a-private',
    0,
    'O Logical volume "vm-a-private-snap" created.',
  ],
  [
    'a snapshot in the form of 2016',
    'lvcreate -kn -ay -s qubes_dom0/vm-a-private -n vm-n',
    0,
    'O Logical volume "vm-n" created.',
  ],
  [
    'a snapshot by its type alone',
    'lvcreate --setactivationskip=n --activate=y --type=thin --name=vm-n -- qubes_dom0/vm-a-private',
    0,
    'O Logical volume "vm-n" created.',
  ],
  [
    'a snapshot in the form of stock Qubes, which 2.03.16 does not take',
    'lvcreate --setactivationskip=n --activate=y --snapshot --type=thin --name=qubes_dom0/vm-n -- qubes_dom0/vm-a-private',
    3,
    'E Command does not accept option: --snapshot.',
  ],
  [
    'a snapshot whose name exists',
    'lvcreate -kn -ay -s qubes_dom0/vm-a-private -n vm-b',
    5,
    'E Logical Volume "vm-b" already exists in volume group "qubes_dom0"',
  ],
  [
    'a snapshot of nothing',
    'lvcreate -kn -ay -s qubes_dom0/vm-missing -n vm-n',
    5,
    'E Snapshot origin LV vm-missing not found in Volume group qubes_dom0.',
  ],
  [
    'a snapshot of the pool',
    'lvcreate -kn -ay -s qubes_dom0/vm-pool -n vm-n',
    5,
    'E Please specify either size or extents with snapshots.',
  ],
];

describe('lvcreate', () => {
  test.each(cases(ROWS))('$what', ({ line, exitCode, said }) => {
    const model = usual();
    const before = model.state().lvs.size;
    const answer = lvm(model, line);
    expect(answer.exitCode).toBe(exitCode);
    expect(spoken(answer)).toEqual(said);
    expect(model.state().lvs.size).toBe(before + (exitCode === 0 ? 1 : 0));
  });

  test('rounds up, so the size read back is not the one asked for', () => {
    const model = usual();
    lvm(model, `${CREATE} --name=vm-n --virtualsize=5243392B -- qubes_dom0/vm-pool`);
    expect(lvm(model, 'lvs --noheadings --units b --nosuffix -o lv_size qubes_dom0/vm-n').stdout.trim()).toBe(
      '8388608',
    );
  });

  test('warns of more virtual space than the pool has, and does it', () => {
    const answer = lvm(usual(), `${CREATE} --name=vm-n --virtualsize=1073741824B -- qubes_dom0/vm-pool`);
    expect(answer.exitCode).toBe(0);
    expect(answer.stdout).toContain(
      'WARNING: You have not turned on protection against thin pools running out of space.',
    );
    expect(answer.stderr).toMatch(
      /^ {2}WARNING: Sum of all thin volume sizes \(1\.09 GiB\) exceeds the size of thin pool/,
    );
  });

  test('without -kn a snapshot has the skip flag and stays inactive, even with -ay', () => {
    const model = usual();
    expect(lvm(model, 'lvcreate -ay -s qubes_dom0/vm-a-private -n vm-k').exitCode).toBe(0);
    expect(lvm(model, 'lvs --noheadings -o lv_attr qubes_dom0/vm-k').stdout.trim()).toBe('Vwi---t--k');
    expect(lvm(model, 'lvchange -ay qubes_dom0/vm-k')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(model.find('vm-k')?.active).toBe(false);
    expect(lvm(model, 'lvchange -ay -K qubes_dom0/vm-k').exitCode).toBe(0);
    expect(lvm(model, 'lvs --noheadings -o lv_attr qubes_dom0/vm-k').stdout.trim()).toBe('Vwi-a-t--k');
    expect(spoken(lvm(model, 'lvchange -kn qubes_dom0/vm-k'))).toEqual(['O Logical volume qubes_dom0/vm-k changed.']);
    expect(lvm(model, 'lvs --noheadings -o lv_skip_activation qubes_dom0/vm-k').stdout.trim()).toBe('');
  });

  test('sets the tags in the write that makes the LV; a snapshot does not inherit them', () => {
    const model = usual();
    lvm(
      model,
      `${CREATE} --addtag domtrail --addtag dt.cmd=c1 --name=vm-n --virtualsize=4194304B -- qubes_dom0/vm-pool`,
    );
    lvm(model, 'lvcreate -kn -ay -s qubes_dom0/vm-n -n vm-n-snap');
    expect(model.find('vm-n')?.tags).toEqual(['domtrail', 'dt.cmd=c1']);
    expect(model.find('vm-n-snap')?.tags).toEqual([]);
  });

  test('refuses when the pool is out of data space', () => {
    const model = usual();
    model.create('vm-big', 600 * 2 ** 20);
    for (let chunk = 0; chunk < 8000; chunk += 1000) {
      model.fill('vm-big', new Map(Array.from({ length: chunk + 1000 }, (_, index) => [index, { id: 0, text: 'x' }])));
    }
    const attr = () => lvm(model, 'lvs --noheadings -o lv_attr,lv_health_status qubes_dom0/vm-pool').stdout.trim();
    expect(attr()).toBe('twi-aot-D- out_of_data');
    const refusal = [
      'E WARNING: Thin pool qubes_dom0/vm-pool is out of data space.',
      'E Cannot create new thin volume, free space in thin pool qubes_dom0/vm-pool reached threshold.',
    ];
    expect(spoken(lvm(model, `${CREATE} --name=vm-n --virtualsize=4194304B -- qubes_dom0/vm-pool`))).toEqual(refusal);
    expect(spoken(lvm(model, 'lvcreate -kn -ay -s qubes_dom0/vm-b -n vm-n'))).toEqual(refusal);
    expect(lvm(model, 'lvrename -- qubes_dom0/vm-b qubes_dom0/vm-c').exitCode).toBe(0);
    expect(lvm(model, 'lvresize --size=32M -- qubes_dom0/vm-c').exitCode).toBe(0);
    expect(lvm(model, 'lvremove --force -- qubes_dom0/vm-big').exitCode).toBe(0);
    expect(attr()).toBe('twi-aot---');
  });
});
