import { randomUUID } from 'node:crypto';
import type { Json } from '../../domain/canonical-json.ts';
import { type Command, decide } from '../../domain/decide.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Fault } from '../fault.ts';
import { type Actor, accept } from '../ledger/accept.ts';
import { bootId, thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import type { Recovered } from '../runner/recover.ts';
import { runOperation } from '../runner/run.ts';
import { handsFor, type Service } from './service.ts';
import { timezoneOfHost } from './timezone.ts';

const systemActor = (tool: string): Actor => ({
  user: 'domtrail',
  uid: process.getuid?.() ?? -1,
  loginUid: null,
  tty: null,
  tool,
  argv: [],
  source: null,
});

/** Stores a command in the name of the system, which is why it needs a reason. Its id. */
export const noteAs =
  (service: Service, reason: string) =>
  (command: Command): Result<string, Failure> => {
    const now = service.now();
    const id = randomUUID();
    const base = { now, bootId: bootId(), uuid: randomUUID(), open: [] };
    const context = command.name === 'RewriteKeys' ? { ...base, timezone: timezoneOfHost() } : base;
    const envelope = {
      id,
      name: command.name,
      schemaVersion: 1,
      payload: command.payload as Json,
      actor: systemActor(service.tool),
      reason,
      context,
      receivedAt: now,
      owner: thisProcess(),
    };
    const accepted = accept(service.ledger, {
      envelope,
      decide: (host, position) => decide(host, command, { ...context, position }),
    });
    return accepted.ok ? ok(id) : accepted;
  };

type Asked = { readonly command: Command; readonly reason: string; readonly fault: Fault };

/** A command in the name of the system, from its decision to its last step. */
export const runAsSystem = async (
  service: Service,
  { command, reason, fault }: Asked,
): Promise<Result<Recovered, Failure>> => {
  const noted = noteAs(service, reason)(command);
  if (!noted.ok) return noted;
  const id = noted.value;
  const base = { command: id, name: command.name, resumedFrom: 1, steps: [] };
  if (!currentHost(service.ledger).operations.has(id)) return ok({ ...base, outcome: 'completed', failure: null });
  const ended = await runOperation({ command: id, journal: service.journal, hands: handsFor(service, id, fault) });
  if (!ended.ok) return ended;
  const failure = 'failure' in ended.value ? ended.value.failure : null;
  return ok({ ...base, outcome: ended.value.is === 'failed' ? 'stuck' : ended.value.is, failure });
};
