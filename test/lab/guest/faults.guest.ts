import { fileURLToPath } from 'node:url';
import { faults } from '../../storage/faults.ts';
import { must } from './real-bench.ts';
import { realHands } from './real-hands.ts';

const SCRIPT = fileURLToPath(new URL('fault-pool.sh', import.meta.url));

const script = async (what: string): Promise<void> => {
  await must(SCRIPT, what);
};

faults('the service on real LVM, when something is wrong with its disk', async () => {
  await script('make');
  return {
    ...(await realHands()),
    fill: () => script('fill'),
    drain: () => script('drain'),
    spoilMetadata: () => script('spoil'),
    failPool: () => script('fail'),
    repair: () => script('repair'),
    breakData: (broken) => script(broken ? 'break' : 'mend'),
    unplug: (away) => script(away ? 'unplug' : 'plug'),
  };
});
