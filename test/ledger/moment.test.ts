import { describe, expect, test } from 'vitest';
import { parseMoment } from '../../infrastructure/ledger/moment.ts';

const NOW = new Date(2026, 10, 22, 19, 40, 31).getTime();
const MINUTE = 60_000;

describe('a time', () => {
  test('may be written as RFC 3339, and then means that very moment', () => {
    expect(parseMoment('2026-11-22T19:40:31Z', NOW)).toBe(Date.UTC(2026, 10, 22, 19, 40, 31));
    expect(parseMoment('2026-11-22T19:40:31+02:00', NOW)).toBe(Date.UTC(2026, 10, 22, 17, 40, 31));
  });

  test('without a zone is the time that tables show', () => {
    expect(parseMoment('2026-11-20', NOW)).toBe(new Date(2026, 10, 20).getTime());
    expect(parseMoment('2026-11-20 08:15', NOW)).toBe(new Date(2026, 10, 20, 8, 15).getTime());
    expect(parseMoment('8:15', NOW)).toBe(new Date(2026, 10, 22, 8, 15).getTime());
    expect(parseMoment('today', NOW)).toBe(new Date(2026, 10, 22).getTime());
    expect(parseMoment('yesterday', NOW)).toBe(new Date(2026, 10, 21).getTime());
    expect(parseMoment('now', NOW)).toBe(NOW);
  });

  test('may be told from now', () => {
    expect(parseMoment('2 hours ago', NOW)).toBe(NOW - 120 * MINUTE);
    expect(parseMoment('1 day ago', NOW)).toBe(NOW - 24 * 60 * MINUTE);
    expect(parseMoment('-30min', NOW)).toBe(NOW - 30 * MINUTE);
    expect(parseMoment('3w ago', NOW)).toBe(NOW - 21 * 24 * 60 * MINUTE);
  });

  test('is nothing else', () => {
    for (const text of ['soon', '2 hours', '', '2 fortnights ago', 'ev:1', 'constructor', '2026-13-40'])
      expect(parseMoment(text, NOW)).toBeNull();
  });
});
