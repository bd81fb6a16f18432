import { test } from 'vitest';
import { modelHands } from '../../storage/hands.ts';
import { type LvmHost, lvmHost } from '../../storage/lvm-host.ts';
import { liveThrough } from '../../storage/scripted-life.ts';
import { realHands } from './real-hands.ts';

const COMMANDS = Number(process.env['LAB_COMMANDS'] || 500);

/** The model lives along: it answers as real LVM does, and lists the same LVs after every command. */
test(`3 templates, 20 AppVMs and what belongs to them live through ${COMMANDS} commands on real LVM as on the model`, {
  timeout: 4 * 3_600_000,
}, async () => {
  const hosts: LvmHost[] = [];
  try {
    hosts.push(await lvmHost(modelHands()));
    hosts.push(await lvmHost(await realHands()));
    const onLived = (where: string): void => void process.stderr.write(`  lived through ${where}\n`);
    await liveThrough(hosts, { seed: 1, commands: COMMANDS, looks: [1, 1], onLived });
  } finally {
    for (const host of hosts) await host.cleanup();
  }
});
