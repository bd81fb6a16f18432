import type { DomainEvent } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Result } from '../../domain/result.ts';

/** What the runner needs of the ledger: the state as recorded, and a way to record. */
export type Journal = {
  readonly host: () => Host;
  /** All events or none, in one transaction; the state that `host` gives includes them afterwards. */
  readonly record: (command: string, events: readonly DomainEvent[]) => Result<null, Failure>;
};
