const SECOND = 1000;
const DAY = 86_400 * SECOND;

const UNITS: readonly (readonly [words: RegExp, ms: number])[] = [
  [/^(s|sec|secs|second|seconds)$/, SECOND],
  [/^(m|min|mins|minute|minutes)$/, 60 * SECOND],
  [/^(h|hour|hours)$/, 3600 * SECOND],
  [/^(d|day|days)$/, DAY],
  [/^(w|week|weeks)$/, 7 * DAY],
];

/** Midnight of the host's own day, `days` from the one of `now`. */
const midnight = (now: number, days: number): number => {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
};

const NAMED: Readonly<Record<string, (now: number) => number>> = {
  now: (now) => now,
  today: (now) => midnight(now, 0),
  yesterday: (now) => midnight(now, -1),
};

const ago = (text: string, now: number): number | null => {
  const [, count, unit = ''] = /^-?([0-9]{1,6}) ?([a-z]+)(?: ago)?$/.exec(text) ?? [];
  const ms = UNITS.find(([words]) => words.test(unit))?.[1];
  const isRelative = text.startsWith('-') || text.endsWith(' ago');
  return count !== undefined && ms !== undefined && isRelative ? now - Number(count) * ms : null;
};

const WRITTEN =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$/i;

/**
 * A time as people and journalctl write it, in epoch milliseconds: RFC 3339, `2026-11-22`, `2026-11-22 08:00`, `08:00`, `today`,
 * `yesterday`, `2 hours ago`, `-30min`. Without a zone it is the host's own, as tables show it. Null for anything else.
 */
export const parseMoment = (text: string, now: number): number | null => {
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named) return named(now);
  const relative = ago(text, now);
  if (relative !== null) return relative;
  const [, hours, minutes, seconds = '0'] = /^([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?$/.exec(text) ?? [];
  if (hours !== undefined) {
    return midnight(now, 0) + (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * SECOND;
  }
  // The engine understands far more than that, and a typing error as some day of 2001.
  const [, date, clock] = WRITTEN.exec(text) ?? [];
  if (date === undefined) return null;
  // A date alone would be taken for midnight in UTC.
  const time = Date.parse(clock === undefined ? `${date}T00:00` : text);
  return Number.isNaN(time) ? null : time;
};
