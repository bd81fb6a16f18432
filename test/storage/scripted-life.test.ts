import { test } from 'vitest';
import { modelHands } from './hands.ts';
import { lvmHost } from './lvm-host.ts';
import { liveThrough } from './scripted-life.ts';

const SEED = Number(process.env['DOMTRAIL_EXPLORE_SEED'] ?? 1);

test(`3 templates, 20 AppVMs and what belongs to them live through 500 commands, sound after each (seed ${SEED})`, {
  timeout: 600_000,
}, async () => {
  const host = await lvmHost(modelHands());
  try {
    await liveThrough([host], { seed: SEED, commands: 500, looks: [1] });
  } finally {
    await host.cleanup();
  }
});
