import { crashes } from './crashes.ts';
import { modelHands } from './hands.ts';

crashes(
  'the service on the model of LVM',
  async () => modelHands(),
  () => ({ first: 1, by: 1, most: Infinity }),
);
