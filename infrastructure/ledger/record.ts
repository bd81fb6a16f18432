import type { DomainEvent } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import { appendRows, checkExpected, type Expected, ownStreams, type ToAppend } from './append.ts';
import type { Ledger } from './ledger.ts';
import { saveOutcome } from './outcomes.ts';
import { writableHost } from './projections.ts';
import { foldIn, moveOn } from './state.ts';
import { insist, inTransaction } from './transaction.ts';

/** The command whose course it is, and the time to record: epoch milliseconds. */
type Writing = { readonly command: string; readonly time: number };

/** Appends what happened in the course of a command: all of it or nothing. Gives the last position. */
export const record = (
  ledger: Ledger,
  { command, time }: Writing,
  events: readonly DomainEvent[],
): Result<number, Failure> =>
  inTransaction(ledger, () => {
    const host = writableHost(ledger);
    const recorded = appendRows(ledger, command, time, ownStreams(command, events));
    foldIn(ledger, host, recorded);
    saveOutcome(ledger, command, recorded);
    moveOn(ledger, host);
    return ledger.cache.head.position;
  });

/**
 * Appends to streams of the caller's choice under what it expects of them (D_STREAM_VERSION tells the version found), and
 * leaves the state alone: for tests of the log as such, whose events mean nothing to the domain.
 */
export const append = (
  ledger: Ledger,
  { command, time }: Writing,
  events: readonly ToAppend[],
  expected: ReadonlyMap<string, Expected>,
): Result<number, Failure> =>
  inTransaction(ledger, () => {
    for (const [stream, belief] of expected) insist(checkExpected(ledger, stream, belief));
    appendRows(ledger, command, time, events);
    ledger.cache.steady = false;
    return ledger.cache.head.position;
  });
