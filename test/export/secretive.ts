import { parsePayload } from '../../domain/command/parse.ts';
import type { CommandName } from '../../domain/command/registry.ts';
import type { Command } from '../../domain/decide.ts';
import type { Ledger } from '../../infrastructure/ledger/ledger.ts';
import * as to from '../domain/commands.ts';
import { given, type Story } from '../domain/given.ts';
import { wayCommand } from '../domain/undo/past.ts';
import { accepts, failsAt } from '../scenarios/history.ts';
import { writeHistory } from '../scenarios/write-history.ts';

/** In every name and text of the history below, so that whatever of them gets out is seen. */
const SECRET = 'qqsecret';

/** Addresses and the like that cannot hold the word. */
export const SECRETS = [
  SECRET,
  '203.0.113.77',
  '198.51.100.',
  '2001:db8:aaaa',
  '172.16.9',
  '00:16:3e:aa:bb:cc',
  'europe/warsaw',
  'dvorak',
  '0525:a4a5',
  'deadbeef',
];

const command = (name: CommandName, input: unknown): Command => {
  const payload = parsePayload(name, input);
  if (!payload.ok) throw new Error(`${name}: ${payload.error.message}`);
  return { name, payload: payload.value } as Command;
};

const FAR_AWAY = 4_000_000_000;
const BANK = `${SECRET}-bank`;
const NET = `${SECRET}-net`;
const PRIVATE = `${BANK}:private`;

const restored = command('RestoreVM', {
  name: `${SECRET}-back`,
  class: 'AppVM',
  template: `${SECRET}-deb`,
  label: 'green',
  pool: null,
  pools: {},
  backup: { name: `${SECRET}.qbk`, id: `20261122-${SECRET}`, was: `${SECRET}-old` },
  properties: { vcpus: '3', default_user: `${SECRET}-user` },
  features: { 'menu-items': `${SECRET}.desktop` },
  tags: [`${SECRET}-mine`],
  images: { private: { file: 'vm2/private.img', bytes: 5 * 2 ** 20, data: 2 ** 20, sha256: 'deadbeef'.repeat(8) } },
  rules: ['action=accept dst4=198.51.100.0/24', 'action=drop'],
});

const settings: readonly Command[] = [
  to.setProperty(NET, 'netvm', ''),
  to.setProperty(NET, 'provides_network', 'yes'),
  to.setProperty(null, 'default_netvm', NET),
  to.setProperty(BANK, 'kernelopts', `nopat ${SECRET}=1`),
  to.setProperty(BANK, 'default_user', `${SECRET}.user`),
  to.setProperty(BANK, 'memory', '400'),
  to.setProperty(BANK, 'mac', '00:16:3E:AA:BB:CC'),
  to.setProperty(BANK, 'keyboard_layout', 'us+dvorak+'),
  to.setProperty(BANK, 'ip', '172.16.9.9'),
  to.setProperty(BANK, 'debug', 'on'),
  command('SetLabel', { name: `${SECRET}-label`, color: '0xabcdef' }),
  to.setProperty(BANK, 'label', `${SECRET}-label`),
  to.setFeature(BANK, `service.${SECRET}-b`, '1'),
  to.setFeature(BANK, 'service.ntpd', ''),
  to.setFeature(BANK, `service.${SECRET}-a`, ''),
  to.setFeature(BANK, `vm-config.${SECRET}`, `${SECRET}!`),
  to.setFeature(BANK, `${SECRET}-own`, '12345678901'),
  to.setFeature(NET, 'ipv6', '1'),
  to.setTag(BANK, `${SECRET}-tag`, true),
  to.setNotes(BANK, `the safe of ${SECRET}`),
  command('SetDevice', {
    vm: BANK,
    class: 'usb',
    backend: NET,
    id: '2-1',
    identity: '0525:a4a5:qqsecret',
    mode: 'required',
    options: [['no-strict-reset', SECRET]],
  }),
];

const rules: readonly Command[] = [
  to.setFirewall(BANK, [
    `action=accept dsthost=www.${SECRET}.com proto=tcp dstports=443 comment=${SECRET} is my bank`,
    'action=accept dst4=198.51.100.0/24',
    'action=accept dsthost=198.51.100.7',
    'action=accept dst6=2001:db8:aaaa::/48 proto=icmp icmptype=8',
    `action=accept specialtarget=dns expire=${FAR_AWAY}`,
    'action=drop',
  ]),
  to.addRule(BANK, `action=drop dst4=203.0.113.77/32 comment=${SECRET}`, 0),
  to.removeRule(BANK, 'action=accept dst4=198.51.100.0/24'),
];

const life: readonly Command[] = [
  to.start(NET),
  to.start(BANK),
  to.addRule(BANK, 'action=accept dst4=203.0.113.77', 1),
  to.stop(BANK),
  to.start(BANK),
  to.kill(BANK),
  to.addVolume(`${BANK}:${SECRET}data`, { pool: `${SECRET}pool` }),
  to.importFile(PRIVATE, `/home/${SECRET}/disk.img`, 2 ** 30, `7+${SECRET}+9`),
  to.exportTo(PRIVATE, `/home/${SECRET}/out.img`),
  to.cloneVm(BANK, `${SECRET}-copy`),
  to.revert(PRIVATE),
  to.resize(PRIVATE, 4 * 2 ** 30),
  to.keep(PRIVATE, 3),
  restored,
  command('BackupVM', {
    vms: [BANK, 'dom0'],
    to: { kind: 'file', path: `/mnt/${SECRET}/b.qbk` },
    compression: 'none',
    home: { path: `/home/${SECRET}` },
  }),
  command('IgnoreDrift', {
    differences: [
      {
        object: `${SECRET}vg/vm-${BANK}-private`,
        about: PRIVATE,
        problem: `its disk is now called ${SECRET}`,
        fingerprint: JSON.stringify(['renamed', SECRET]),
      },
    ],
    reason: SECRET,
  }),
  command('AdoptTestimony', {
    pool: `${SECRET}-lvm`,
    told: [
      {
        group: `${SECRET}vg`,
        seqno: 7,
        time: 1_700_000_000,
        host: `${SECRET}-dom0`,
        commandLine: `lvremove ${SECRET}vg/${SECRET}`,
        made: [],
        gone: [{ id: 'abc', name: `${SECRET}vg/vm-${BANK}-private-snap` }],
        renamed: [{ id: 'abc', was: `${SECRET}vg/${SECRET}`, now: `${SECRET}vg/vm-${BANK}-root` }],
        volumes: [PRIVATE],
      },
    ],
  }),
  to.removeVm(`${SECRET}-copy`),
];

const refused: readonly Command[] = [
  to.start(`${SECRET}-nobody`),
  to.setProperty(BANK, 'memory', `${SECRET} MiB`),
  to.setProperty(BANK, SECRET, SECRET),
  to.setProperty(BANK, 'netvm', `${SECRET}-nobody`),
  to.addRule(BANK, `action=${SECRET} dsthost=${SECRET}.example`),
  to.setFeature(BANK, `odd ${SECRET} name`, SECRET),
  to.removePool(`${SECRET}pool`),
];

const reverting = (story: Story): string => {
  const [revision] = story.volume(PRIVATE).revisions;
  return revision?.id ?? 'none';
};

/** A history with every kind of command, refused ones and failed steps too, all about secret things. */
const secretiveStory = (): Story => {
  const story = given().after(
    to.init(
      to.lvmPool(`${SECRET}-lvm`, { volumeGroup: `${SECRET}vg`, thinPool: `${SECRET}thin` }),
      to.filePool(`${SECRET}pool`, { dir: `/srv/${SECRET}` }),
    ),
    to.setProperty(null, 'default_pool', `${SECRET}-lvm`),
    to.templateVm(`${SECRET}-deb`),
    to.standaloneVm(NET),
    to.appVm(BANK, { template: `${SECRET}-deb` }),
    to.appVm(`${SECRET}-files`, { template: `${SECRET}-deb`, pools: { private: `${SECRET}pool` } }),
  );
  story.after(...settings, ...rules, ...life.slice(0, -1));
  story.after(to.pin(PRIVATE, reverting(story)), ...life.slice(-1));
  // Back to where the copy was not yet removed, and to before most of it.
  for (const back of [60, 5]) {
    const position = story.host.position - back;
    story.submit(wayCommand(story, { kind: 'undo', operation: 'c9', position }));
    story.now += 1000;
  }
  for (const one of refused) {
    story.now += 1000;
    if (story.submit(one).ok) throw new Error(`${JSON.stringify(one)} was to be refused`);
  }
  const { id, plan } = accepts(story, to.start(BANK), 'nothing of it', () => ({}));
  const [step] = plan.main;
  if (step) failsAt(story, id, step);
  story.bootId = 'boot-2';
  return story;
};

const ACTOR = {
  user: `${SECRET}-ada`,
  uid: 1000,
  loginUid: 1000,
  tty: 'pts/3',
  tool: `/opt/${SECRET}/tool`,
  argv: ['vm', 'start', BANK],
  source: BANK,
};

export const secretiveLedger = (story: Story = secretiveStory()): Ledger =>
  writeHistory(story, undefined, { actor: ACTOR, reason: `because of ${SECRET}` });
