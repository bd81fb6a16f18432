import { PROJECTIONS } from '../../bin/compose.ts';
import type { Json } from '../../domain/canonical-json.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Recorded } from '../../domain/event.ts';
import { err, ok } from '../../domain/result.ts';
import { type Actor, accept } from '../../infrastructure/ledger/accept.ts';
import type { Ledger } from '../../infrastructure/ledger/ledger.ts';
import { record } from '../../infrastructure/ledger/record.ts';
import { OWNER, type Story } from '../domain/given.ts';
import { must, writable } from '../ledger/fixture.ts';

const ACTOR = { user: 'ada', uid: 1000, loginUid: 1000, tty: 'pts/3', tool: 'domtrail', argv: [], source: null };

/** The decision as it is recorded: its facts follow in the log by themselves where no step has to be waited for. */
const decisionOf = ({ event }: Recorded): Decision | null => {
  if (event.type === 'CommandRejected') return err(event.failure);
  if (event.type !== 'CommandAccepted') return null;
  return ok({ plan: event.plan, holds: event.holds });
};

type Said = { readonly actor?: Actor; readonly reason?: string };

/** A ledger with the story's commands and events, hashed and indexed as if it had happened here. */
export const writeHistory = (story: Story, file?: string, said: Said = {}): Ledger => {
  const ledger = writable(file, PROJECTIONS);
  for (const recorded of story.log) {
    const decision = decisionOf(recorded);
    const { command: id, time } = recorded;
    if (!decision) {
      must(record(ledger, { command: id, time }, [recorded.event]));
      continue;
    }
    const decided = story.decided.find((one) => one.id === id);
    if (!decided) throw new Error(`${id} was never decided`);
    const { position: _later, ...context } = decided.context;
    const { name, payload } = decided.command;
    const envelope = {
      id,
      name,
      schemaVersion: 1,
      payload: payload as Json,
      actor: said.actor ?? ACTOR,
      reason: said.reason ?? null,
      context: context as Json,
      receivedAt: time,
      owner: OWNER,
    };
    must(accept(ledger, { envelope, decide: () => decision }));
  }
  return ledger;
};
