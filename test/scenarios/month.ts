import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { createLvmModel, type LvmModel } from '../../infrastructure/drivers/lvm-model/model.ts';
import * as to from '../domain/commands.ts';
import { type Hands, modelHands } from '../storage/hands.ts';
import { type LvmHost, lvmHost } from '../storage/lvm-host.ts';

const GROUP = 'qubes_dom0';
const FIRST_DAY = Date.UTC(2026, 9, 1, 8);
const DAY = 86_400_000;

/** When something of a day happened, epoch milliseconds. */
export const onDay = (day: number): number => FIRST_DAY + (day - 1) * DAY;

type Kept = { readonly seqno: number; readonly at: number; readonly line: string };

const quoted = (word: string): string => (/[\s"]/.test(word) ? `'${word}'` : word);

/** As LVM does: for each command that changes the volume group, what it was called with, when, and the sequence number before. */
const archiving = (hands: Hands, model: LvmModel, kept: Kept[]): Hands => ({
  ...hands,
  run: async (argv, options) => {
    const { seqno } = model.state();
    const ran = await hands.run(argv, options);
    const words = argv[0] === 'lvm' ? argv.slice(1) : argv;
    for (let at = seqno; at < model.state().seqno; at++) {
      kept.push({ seqno: at, at: Date.now(), line: words.map(quoted).join(' ') });
    }
    return ran;
  },
});

const entryText = ({ seqno, at }: Pick<Kept, 'seqno' | 'at'>, description: string): string => {
  const text = description.replaceAll(/["\\]/g, '\\$&');
  return `description = "${text}"\ncreation_host = "dom0"\ncreation_time = ${Math.floor(at / 1000)}\n${GROUP} {\nseqno = ${seqno}\n}\n`;
};

const writeArchive = (dir: string, kept: readonly Kept[]): void => {
  for (const name of ['archive', 'backup']) mkdirSync(join(dir, name));
  kept.forEach((one, index) => {
    const file = join(dir, 'archive', `${GROUP}_${`${index}`.padStart(5, '0')}-${1000 + index}.vg`);
    writeFileSync(file, entryText(one, `Created *before* executing '${one.line}'`));
  });
  const last = kept.at(-1);
  if (!last) throw new Error('nothing was changed');
  const after = entryText({ seqno: last.seqno + 1, at: last.at }, `Created *after* executing '${last.line}'`);
  writeFileSync(join(dir, 'backup', GROUP), after);
};

const script = (path: string, text: string): void => {
  writeFileSync(path, `#!/bin/sh\n${text}`);
  chmodSync(path, 0o755);
};

/** Programs that answer as the machine would at the end of the month; they change nothing. */
const writePrograms = async (dir: string, host: LvmHost): Promise<void> => {
  const lvs = `lvm lvs --reportformat json --units b --nosuffix -o ${FIELDS} -- ${GROUP}`;
  const { stdout } = await host.run(lvs.split(' ') as [string, ...string[]]);
  const status = await host.run(['dmsetup', 'status', `${GROUP}-vm--pool-tpool`]);
  writeFileSync(join(dir, 'lvs.json'), stdout);
  writeFileSync(join(dir, 'status.txt'), status.stdout);
  script(join(dir, 'lvm'), `[ "$1" = lvs ] && exec cat '${join(dir, 'lvs.json')}'\nexit 5\n`);
  script(join(dir, 'dmsetup'), `[ "$1" = status ] && exec cat '${join(dir, 'status.txt')}'\nexit 1\n`);
  script(join(dir, 'sudo'), 'exec "$@"\n');
};

const FIELDS =
  'lv_uuid,lv_name,pool_lv,segtype,lv_size,data_percent,lv_metadata_size,metadata_percent,lv_attr,lv_device_open,origin_uuid,lv_tags,transaction_id';

const workday = (host: LvmHost, vm: string): Promise<void> => host.does(to.start(vm), to.stop(vm));

/** What people did, day by day. The three faults are somebody else's. */
const DAYS: Readonly<Record<number, (host: LvmHost) => Promise<void>>> = {
  1: async (host) => {
    host.asks('ada', 'a new machine');
    await host.does(to.templateVm('debian'), to.templateVm('fedora'));
    for (const vm of ['work', 'bank', 'mail']) await host.does(to.appVm(vm, { template: 'debian' }));
  },
  3: async (host) => {
    host.asks('ada');
    for (const vm of ['work', 'bank', 'mail']) await workday(host, vm);
  },
  8: async (host) => {
    host.asks('bob', 'mail is slow');
    await host.does(to.setProperty('mail', 'memory', '800'));
    await workday(host, 'mail');
  },
  // Fault 1: the committed disk of mail is removed by hand.
  12: (host) => host.byHand(`lvremove --force -y -- ${GROUP}/vm-mail-private`),
  15: async (host) => {
    host.asks('ada', 'more room for work');
    await host.does(to.resize('work:private', 3 * 2 ** 30));
    await workday(host, 'work');
  },
  // Fault 2: the disks of work and bank change places.
  18: async (host) => {
    await host.byHand(`lvrename -- ${GROUP}/vm-work-private ${GROUP}/aside`);
    await host.byHand(`lvrename -- ${GROUP}/vm-bank-private ${GROUP}/vm-work-private`);
    await host.byHand(`lvrename -- ${GROUP}/aside ${GROUP}/vm-bank-private`);
  },
  22: async (host) => {
    host.asks('bob', 'bank needs more');
    await host.does(to.setProperty('bank', 'memory', '600'));
  },
  30: async (host) => {
    host.asks('ada');
    await host.does(to.setProperty('work', 'vcpus', '2'));
  },
};

/** Everything that is left of the month: the home, LVM's history in `dir`, and the programs of the machine. */
export const scriptedMonth = async (dir: string): Promise<LvmHost> => {
  vi.useFakeTimers({ toFake: ['Date'], now: FIRST_DAY });
  try {
    const model = createLvmModel();
    const kept: Kept[] = [];
    const host = await lvmHost(archiving(modelHands(model), model, kept));
    for (const [day, live] of Object.entries(DAYS)) {
      vi.setSystemTime(onDay(Number(day)));
      await live(host);
    }
    writeArchive(dir, kept);
    await writePrograms(dir, host);
    host.dies();
    return host;
  } finally {
    vi.useRealTimers();
  }
};
