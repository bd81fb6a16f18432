import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import { type Accepted, acceptAll, type ToAccept } from './accept.ts';
import type { Ledger } from './ledger.ts';

type Waiting = {
  readonly one: ToAccept;
  readonly resolve: (result: Result<Accepted, Failure>) => void;
  readonly reject: (error: unknown) => void;
};

/** Longest transaction: others wait for it, and everything in it is lost with a power cut just before its commit. */
const MOST_AT_ONCE = 1000;

const acceptBatch = (ledger: Ledger, batch: readonly Waiting[]): void => {
  try {
    const accepted = acceptAll(
      ledger,
      batch.map(({ one }) => one),
    );
    for (const [index, { resolve }] of batch.entries()) {
      const result = accepted.ok ? accepted.value[index] : accepted;
      if (result) resolve(result);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
};

/**
 * Accepts commands that arrive in the same turn of the event loop with one commit: one wait for the disk instead of one
 * each. Each promise is settled after its command is durable, in the order of submission; a rejection of one does not
 * touch the others, a full disk fails the whole transaction and so all of them.
 */
export const commandQueue = (
  ledger: Ledger,
): { readonly submit: (one: ToAccept) => Promise<Result<Accepted, Failure>> } => {
  let waiting: Waiting[] = [];
  const drain = (): void => {
    const batch = waiting.slice(0, MOST_AT_ONCE);
    waiting = waiting.slice(MOST_AT_ONCE);
    if (waiting.length > 0) setImmediate(drain);
    acceptBatch(ledger, batch);
  };
  const submit = (one: ToAccept): Promise<Result<Accepted, Failure>> =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(drain);
      waiting.push({ one, resolve, reject });
    });
  return { submit };
};
