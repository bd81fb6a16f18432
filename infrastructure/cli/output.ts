import { fstatSync, writeSync } from 'node:fs';
import { formatBytes } from '../../domain/bytes.ts';
import { exitOf, type Failure } from '../../domain/failure.ts';
import { escapeText, utcTime } from './text.ts';

export type AsOf = { readonly position: number; readonly time: number | null };

/** A pipe that nobody reads any more ends the output, not the command. Whether somebody still reads. */
const write = (fd: 1 | 2, text: string): boolean => {
  let rest = Buffer.from(text, 'utf8');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code === 'EAGAIN') continue;
      if (code === 'EPIPE') return false;
      throw error;
    }
  }
  return true;
};

/** Node's own stdout takes a sixth of a short command's time to make, so it is only asked for where a terminal may be. */
const mayBeTerminal = (fd: 1 | 2): boolean => {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    // Closed: certainly no terminal, and writing to it will say so.
    return false;
  }
};

export const out = (text: string): void => void write(1, text);
export const talk = (text: string): void => void write(2, text);

/** For output without an end: false once nobody reads it any more. */
export const outWhileRead = (text: string): boolean => write(1, text);

/** Lines are cut to the terminal's width (some say 0); a pipe gets them whole. */
export const lineWidth = (): number =>
  mayBeTerminal(1) && process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;

const asOfJson = ({ position, time }: AsOf) => ({ event: position, time: time === null ? null : utcTime(time) });

/** One document: `item` for a single object, `items` for a list. */
export const outJson = (
  command: string,
  asOf: AsOf,
  content: { readonly item: unknown } | { readonly items: readonly unknown[] },
): void =>
  out(
    `${JSON.stringify({ schema: `domtrail/${command}/1`, as_of: asOfJson(asOf), ...content }, null, mayBeTerminal(1) && process.stdout.isTTY ? 2 : 0)}\n`,
  );

export const outJsonLine = (value: unknown): void => out(`${JSON.stringify(value)}\n`);

const MOST_LINES = 8;

/** What would make room, the way to it with each; the largest first within each kind. */
const couldFreeLines = (all: NonNullable<Failure['couldFree']>): readonly string[] => {
  const lines = all.slice(0, MOST_LINES).map(({ object, is, bytes, next }) => {
    const what = is === 'trash' ? `trash of ${object}` : `${object}${is === 'pinned' ? ' (pinned)' : ''}`;
    return `could free: ${escapeText(what)}, up to ${formatBytes(bytes)}: ${escapeText(next)}`;
  });
  return all.length > MOST_LINES ? [...lines, `could free: ${all.length - MOST_LINES} more`] : lines;
};

/** The failure on stderr as people or as programs read it, and the exit code it stands for. */
export const outFailure = (failure: Failure, json: boolean): number => {
  if (json) {
    talk(`${JSON.stringify({ error: failure })}\n`);
    return exitOf(failure.code);
  }
  const lines = [`error[${failure.code}]: ${escapeText(failure.message)}`];
  if (failure.cause) lines.push(`cause: ${failure.cause.split('\n').map(escapeText).join('\n       ')}`);
  if (failure.position) lines.push(`event: ev:${failure.position}`);
  lines.push(...couldFreeLines(failure.couldFree ?? []));
  if (failure.next) lines.push(`next: ${escapeText(failure.next)}`);
  talk(`${lines.join('\n')}\n`);
  return exitOf(failure.code);
};
