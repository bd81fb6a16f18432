import { driverContract } from '../../drivers/contract.ts';
import { realBench } from './real-bench.ts';

driverContract('lvm_thin on real LVM', realBench);
