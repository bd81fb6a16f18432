import { describe, expect, test } from 'vitest';
import {
  activateWords,
  copyInArgv,
  copyOutArgv,
  createWords,
  lvm,
  privileged,
  removeWords,
  renameWords,
  reportWords,
  resizeWords,
  snapshotWords,
  stdinInArgv,
} from '../../../infrastructure/drivers/lvm-thin/argv.ts';
import {
  deviceInfoArgv,
  discardArgv,
  setTransactionArgv,
} from '../../../infrastructure/drivers/lvm-thin/device-argv.ts';

const POOL = { volumeGroup: 'qubes_dom0', thinPool: 'vm-pool' };
const BY = { command: '01-start', step: 2 };
const MARK = `--config 'config/checks=0 domtrail/step="01-start/2"'`;
const TAGS = '--addtag domtrail --addtag dt.cmd=01-start --addtag dt.step=2';

/** As it would be typed; only for reading, no shell ever sees it. */
const typed = (argv: readonly string[]): string => argv.map((arg) => (/[\s"]/.test(arg) ? `'${arg}'` : arg)).join(' ');

describe('command lines', () => {
  test.each([
    [
      'create',
      createWords(POOL, 'qubes_dom0/vm-a-private', 8_388_608, BY),
      `lvcreate --thin -kn -ay ${TAGS} --name=vm-a-private --virtualsize=8388608B -- qubes_dom0/vm-pool`,
    ],
    [
      'snapshot',
      snapshotWords('qubes_dom0/vm-a-private', 'qubes_dom0/vm-a-private-snap', BY),
      `lvcreate -kn -ay --snapshot ${TAGS} --name=qubes_dom0/vm-a-private-snap -- qubes_dom0/vm-a-private`,
    ],
    [
      'rename',
      renameWords('qubes_dom0/vm-a-private', 'qubes_dom0/vm-a-private-1-back', BY),
      `lvrename ${MARK} -- qubes_dom0/vm-a-private qubes_dom0/vm-a-private-1-back`,
    ],
    [
      'remove',
      removeWords('AbCdEf-1111', 'qubes_dom0/vm-a-private-7-trash-back', BY),
      `lvremove --force -y -S lv_uuid=AbCdEf-1111 ${MARK} -- qubes_dom0/vm-a-private-7-trash-back`,
    ],
    [
      'grow',
      resizeWords('qubes_dom0/vm-a-private', 4_194_304, false, BY),
      `lvresize ${MARK} --size=4194304B -- qubes_dom0/vm-a-private`,
    ],
    [
      'shrink',
      resizeWords('qubes_dom0/vm-a-private', 4_194_304, true, BY),
      `lvresize -y ${MARK} --size=4194304B -- qubes_dom0/vm-a-private`,
    ],
    [
      'activate',
      activateWords('qubes_dom0/vm-a-private', BY),
      `lvchange --activate=y ${MARK} -- qubes_dom0/vm-a-private`,
    ],
    [
      'survey',
      reportWords(POOL),
      'lvs --reportformat json --units b --nosuffix -o lv_uuid,lv_name,pool_lv,segtype,lv_size,data_percent,' +
        'lv_metadata_size,metadata_percent,lv_attr,lv_device_open,origin_uuid,lv_tags,transaction_id -- qubes_dom0',
    ],
    ['discard', discardArgv('/dev/mapper/a'), 'blkdiscard -p 1G /dev/mapper/a'],
    [
      'fill',
      copyInArgv('/tmp/x', '/dev/mapper/a'),
      'dd if=/tmp/x of=/dev/mapper/a bs=128K conv=sparse,nocreat,fsync status=progress',
    ],
    [
      'fill from standard input',
      stdinInArgv('/dev/mapper/a', 512),
      'dd of=/dev/mapper/a bs=128K count=512 iflag=count_bytes,fullblock conv=sparse,nocreat,fsync status=progress',
    ],
    [
      'read',
      copyOutArgv('/dev/mapper/a', '/tmp/x'),
      'dd if=/dev/mapper/a of=/tmp/x bs=128K conv=sparse,notrunc,nocreat,fsync status=progress',
    ],
    [
      'whose device it is',
      deviceInfoArgv('qubes_dom0-vm--a'),
      "dmsetup info -c --noheadings --separator ' ' -o uuid,open qubes_dom0-vm--a",
    ],
    [
      'a carried out message counts',
      setTransactionArgv('qubes_dom0-vm--pool-tpool', 3, 4),
      "dmsetup message qubes_dom0-vm--pool-tpool 0 'set_transaction_id 3 4'",
    ],
  ])('%s', (_, argv, expected) => {
    expect(typed(argv)).toBe(expected);
  });

  test('--snapshot and --type=thin never come together, which lvm2 2.03.16 refuses', () => {
    const words = snapshotWords('vg/a', 'vg/b', BY);
    expect(words).toContain('--snapshot');
    expect(words.some((word) => word.startsWith('--type'))).toBe(false);
  });

  test('a command id can end neither the quoted string nor the tag', () => {
    const by = { command: 'x" y/1\\,@z', step: 1 };
    expect(renameWords('v/a', 'v/b', by)).toContain('config/checks=0 domtrail/step="x__y_1___z/1"');
    expect(createWords(POOL, 'qubes_dom0/vm-a-b', 512, by)).toContain('dt.cmd=x__y_1___z');
  });

  test('programs run through sudo unless root runs them', () => {
    expect(lvm(0, ['lvs'])).toEqual(['lvm', 'lvs']);
    expect(lvm(1000, ['lvs'])).toEqual(['sudo', 'lvm', 'lvs']);
    expect(privileged(1000, discardArgv('/dev/x'))).toEqual(['sudo', 'blkdiscard', '-p', '1G', '/dev/x']);
  });
});
