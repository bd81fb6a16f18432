import { lvmThinDriver } from '../../../infrastructure/drivers/lvm-thin/driver.ts';

/*
 * Examines the lab's pool with the product's driver and mends what it finds, until nothing is left: one JSON line for each
 * thing seen or done. For disk images of pools that real crashes left.
 */

const driver = lvmThinDriver({ volumeGroup: 'qubes_dom0', thinPool: 'vm-pool' });
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const mendAll = async (): Promise<void> => {
  for (let round = 0; round < 5; round++) {
    const wounds = await driver.examine();
    if (!wounds.ok) return say({ failed: wounds.error });
    if (wounds.value.length === 0) return say({ sound: true });
    for (const wound of wounds.value) {
      const { failure, evidence } = await driver.mend(wound, 'fixture');
      say({ wound: wound.is, failure, argv: evidence.argv.map((words) => words.join(' ')) });
    }
  }
};

mendAll().catch((error: unknown) => {
  say({ failed: String(error) });
  process.exitCode = 1;
});
