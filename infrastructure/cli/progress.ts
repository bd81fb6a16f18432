import { formatBytes } from '../../domain/bytes.ts';
import type { Step } from '../../domain/steps.ts';
import type { Progress } from '../drivers/driver.port.ts';
import { talk } from './output.ts';

const EVERY_MS = 30_000;
/** Copies this short are not worth a line. */
const QUIET_MS = 1000;
const BAR = 20;

const duration = (seconds: number): string =>
  Number.isFinite(seconds) ? `${Math.floor(seconds / 60)}:${`${Math.floor(seconds % 60)}`.padStart(2, '0')}` : '?';

const line = (step: Step, done: number, total: number, elapsedMs: number): string => {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '-');
  const eta = rate > 0 ? (total - done) / rate : Number.POSITIVE_INFINITY;
  return `${step.object}  [${bar}] ${Math.floor(share * 100)} %  ${formatBytes(done)}/${formatBytes(total)}  ${formatBytes(Math.round(rate))}/s  ETA ${duration(eta)}`;
};

/** On a terminal one line that is rewritten; elsewhere a line every 10 % or 30 s, so that logs stay short. */
export const progressOn = (
  isTerminal: boolean,
  write: (text: string) => void = talk,
  now: () => number = () => performance.now(),
) => {
  return (step: Step): Progress => {
    const started = now();
    let lastShare = 0;
    let lastTime = started;
    const rewrite: Progress = (done, total) => {
      const end = done >= total ? '\n' : '';
      write(`\r\u001b[K${line(step, done, total, now() - started)}${end}`);
    };
    const append: Progress = (done, total) => {
      const at = now();
      const share = total > 0 ? Math.floor((done * 10) / total) : 10;
      if (share <= lastShare && at - lastTime < EVERY_MS) return;
      write(`${line(step, done, total, at - started)}\n`);
      lastTime = at;
      lastShare = share;
    };
    return (done, total) => {
      if (now() - started >= QUIET_MS) (isTerminal ? rewrite : append)(done, total);
    };
  };
};
