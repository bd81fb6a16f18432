import { driverContract } from '../contract.ts';
import { lvmBench } from './lvm-bench.ts';

driverContract('lvm_thin on recorded behaviour', () => lvmBench());
