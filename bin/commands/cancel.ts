import { runAction } from '../../infrastructure/cli/dispatch.ts';
import { cancelAction } from '../backup-cancel.ts';

export const main = (argv: readonly string[]): Promise<number> => runAction(cancelAction, 'cancel', argv);
