import { type Failure, failure } from '../../domain/failure.ts';
import type { OpenContent } from './driver.port.ts';

/**
 * Content for a program's stdin. What goes wrong while it is made ends it early; `failure` then tells, because the program
 * cannot know that its input was to go on.
 */
export const streamed = (open: OpenContent) => {
  let broken: Failure | null = null;
  const pieces = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* open();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      broken = failure('D_BACKUP_INVALID', 'the data could not be read to its end', { cause });
    }
  };
  return { pieces: pieces(), failure: (): Failure | null => broken };
};
