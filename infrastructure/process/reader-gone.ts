import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';

const isPipe = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    // Closed: the next write will say so.
    return false;
  }
};

/**
 * Calls `gone` about a second after nobody reads the pipe behind our stdout any more; never, where it is no pipe. Gives the
 * way to call it off.
 *
 * Node learns of that only when it writes, and whoever waits for something rare may not write for days. GNU tail polls its
 * stdout and dies of SIGPIPE (coreutils 8.28 and later); where it cannot be started nothing is lost but the earlier end. It
 * also ends with this process, however that ends.
 */
export const whenReaderIsGone = (gone: () => void): (() => void) => {
  if (!isPipe(1)) return () => undefined;
  const argv = ['-f', '/dev/null', '-s', '1', `--pid=${process.pid}`];
  const tail = spawn('tail', argv, { stdio: ['ignore', 1, 'ignore'] });
  let off = false;
  tail.on('error', () => undefined);
  tail.on('exit', (_code, signal) => {
    if (!off && signal === 'SIGPIPE') gone();
  });
  tail.unref();
  return () => {
    off = true;
    tail.kill();
  };
};
