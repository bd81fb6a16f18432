import type * as z from 'zod';
import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';
import { COMMAND_SCHEMAS, type CommandName, type PayloadOf } from './registry.ts';

/** A payload checked against its command's schema, or one sentence about what is wrong with it. */
export const parsePayload = <N extends CommandName>(name: N, input: unknown): Result<PayloadOf<N>, Failure> => {
  const parsed = (COMMAND_SCHEMAS[name] as unknown as z.ZodType<PayloadOf<N>>).safeParse(input);
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  return err(
    failure('D_BAD_INPUT', issue?.code === 'custom' ? issue.message : `${where}${issue?.message ?? 'not valid'}`),
  );
};
