import { driverContract } from '../contract.ts';
import { modelBench } from './model-bench.ts';

driverContract('the LVM model', async () => modelBench());
