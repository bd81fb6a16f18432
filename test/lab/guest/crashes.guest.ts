import { crashes, type Points } from '../../storage/crashes.ts';
import { realHands } from './real-hands.ts';

const FULL = process.env['LAB_FULL'] === '1';
const EVERY: Points = { first: 1, by: 1, most: Infinity };

/** By hand every third command at one point; all of them at all points with LAB_FULL. */
const sample = (index: number): Points | null => (index % 3 === 1 ? { first: 2 + (index % 4), by: 1, most: 1 } : null);

crashes('the service on real LVM', realHands, (index) => (FULL ? EVERY : sample(index)));
