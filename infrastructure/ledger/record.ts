import type { DomainEvent } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { appendRows, checkExpected, type Expected, ownStreams, type ToAppend } from './append.ts';
import { checkToken } from './lease.ts';
import type { Ledger } from './ledger.ts';
import { saveOutcome } from './outcomes.ts';
import { guarded } from './sqlite-failure.ts';
import { currentHost, foldIn } from './state.ts';

type Writing = { readonly command: string; readonly time: number };
type Stream = { readonly events: readonly ToAppend[]; readonly expected: ReadonlyMap<string, Expected>; readonly fold: boolean };

/** Thrown to roll a transaction back; never leaves this module. */
class Refused extends Error {
  readonly failure: Failure;
  constructor(reason: Failure) {
    super(reason.message);
    this.failure = reason;
  }
}

const insist = (result: Result<null, Failure>): void => {
  if (!result.ok) throw new Refused(result.error);
};

const write = (ledger: Ledger, { command, time }: Writing, stream: Stream): number => {
  insist(checkToken(ledger));
  for (const [name, expected] of stream.expected) insist(checkExpected(ledger, name, expected));
  const host = stream.fold ? currentHost(ledger) : null;
  const recorded = appendRows(ledger, command, time, stream.events);
  if (host) {
    foldIn(ledger, host, recorded);
    saveOutcome(ledger, recorded);
  }
  return recorded.at(-1)?.position ?? ledger.cache.head.position;
};

const transact = (ledger: Ledger, writing: Writing, stream: Stream): Result<number, Failure> => {
  let finished = false;
  try {
    const last = guarded(ledger.file, () => ok(ledger.db.transaction(() => write(ledger, writing, stream)).immediate()));
    finished = last.ok;
    if (last.ok) for (const tell of ledger.committed) tell(last.value);
    return last;
  } catch (error) {
    if (error instanceof Refused) return err(error.failure);
    throw error;
  } finally {
    if (!finished) ledger.cache.host = null;
  }
};

/** Appends what happened in the course of a command: all of it or nothing. Gives the last position. */
export const record = (ledger: Ledger, writing: Writing, events: readonly DomainEvent[]): Result<number, Failure> =>
  transact(ledger, writing, { events: ownStreams(writing.command, events), expected: new Map(), fold: true });

/**
 * Appends to streams of the caller's choice under what it expects of them. `fold` false leaves the state alone: for
 * tests of the log as such, whose events mean nothing to the domain.
 */
export const append = (ledger: Ledger, writing: Writing, events: readonly ToAppend[], expected: ReadonlyMap<string, Expected>): Result<number, Failure> =>
  transact(ledger, writing, { events, expected, fold: false });
