import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * An environment whose gzip does as the script says when it is called for the nth time; the first compresses qubes.xml. It
 * lies in `bin` in the directory.
 */
export const gzipThat = (directory: string, nth: number, script: string) => {
  mkdirSync(join(directory, 'bin'));
  const count = join(directory, 'bin/count');
  const text = `#!/bin/sh
PATH=\${PATH#*:}
echo >> '${count}'
[ "$(wc -l < '${count}')" -eq ${nth} ] || exec gzip "$@"
${script}\n`;
  writeFileSync(join(directory, 'bin/gzip'), text, { mode: 0o755 });
  return { PATH: `${join(directory, 'bin')}:${process.env['PATH']}` };
};

/** Kills the backup that called it, once so many bytes have come out of the compressor. */
export const killedAfter = (bytes: number): string => `gzip -c | head -c ${bytes}\nkill -KILL $PPID\nexec sleep 5`;
