import { faults } from './faults.ts';
import { troubledModel } from './troubles.ts';

faults('the service on the model of LVM, when something is wrong with its disk', async () => troubledModel());
