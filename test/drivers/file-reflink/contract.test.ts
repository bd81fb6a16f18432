import { driverContract } from '../contract.ts';
import { fileBench } from './file-bench.ts';

driverContract('file-reflink', () => fileBench());
