import { clocks, faults } from './faults.ts';
import { troubledModel } from './troubles.ts';

faults('the service on the model of LVM, when something is wrong with its disk', async () => troubledModel());

clocks('a clock that is stepped by an hour forth and back changes no order and prunes nothing', async () =>
  troubledModel(),
);
