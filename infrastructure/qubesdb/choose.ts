import { bootId } from '../ledger/process-identity.ts';
import { embeddedQubesDb } from './embedded.ts';
import type { QubesDb } from './qubesdb.port.ts';

export const qubesDbAt = (directory: string): QubesDb => embeddedQubesDb({ directory, bootId: bootId() });
