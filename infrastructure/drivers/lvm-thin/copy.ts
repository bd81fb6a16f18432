import type { Ran, RunOptions } from '../../process/run.ts';
import type { Argv } from './argv.ts';
import type { Work } from './work.ts';

/** `1234 bytes (1.2 kB, 1.2 KiB) copied, 1 s, 1.2 kB/s`: once a second with `status=progress`, and at the end. */
const COPIED = /^(\d{1,16}) bytes? (?:\(.*\) )?copied, /;
const RECORDS = /^\d+\+\d+ records (?:in|out)$/;

/** Runs a `dd` with `status=progress` and reports how much of `total` it has copied; its figures are not kept. */
export const copy = (
  work: Pick<Work, 'program' | 'progress'>,
  argv: Argv,
  total: number,
  options: RunOptions = {},
): Promise<Ran> =>
  work.program(argv, {
    ...options,
    watch: (line) => {
      const bytes = COPIED.exec(line)?.[1];
      // That all is copied is told when it is flushed, and once.
      if (Number(bytes) < total) work.progress(Number(bytes), total);
      return bytes !== undefined || RECORDS.test(line);
    },
  });
