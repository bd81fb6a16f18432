import { unwritten } from '../domain/backup/interrupted.ts';
import type { Command } from '../domain/decide.ts';
import type { Verdict } from '../domain/decision.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { RestoreOperation } from '../domain/undo/commands.ts';
import type { Done } from '../domain/undo/course.ts';
import type { Arguments } from '../infrastructure/cli/arguments.ts';
import { asOf, type Change, runChange } from '../infrastructure/cli/change.ts';
import { confirm } from '../infrastructure/cli/confirm.ts';
import { out, outJson, talk } from '../infrastructure/cli/output.ts';
import { escapeText, shortId } from '../infrastructure/cli/text.ts';
import { findCommand, type StoredCommand } from '../infrastructure/ledger/queries.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { closeService, type Service } from '../infrastructure/service/service.ts';
import { planOnly } from '../infrastructure/service/submit.ts';
import { built } from './changing.ts';
import { openService } from './compose.ts';

/** `SetProperty cmd:3f2a9c1e`, for people. */
const nameOf = ({ name, id }: Pick<StoredCommand, 'name' | 'id'>): string => `${name} cmd:${shortId(id)}`;

export type Way = {
  readonly topic: string;
  readonly kind: RestoreOperation['kind'];
  /** the operation that is undone, redone or gone back to */
  readonly operation: Pick<StoredCommand, 'name' | 'id'>;
  readonly position: number;
  readonly only: string | null;
  /** what is said when it is done: `undone` */
  readonly done: string;
  /** asked even when everything comes back */
  readonly asks: boolean;
};

/** The same key twice is done once: what it stood for then counts, not what `undo` would mean now. */
const storedFor = (service: Service, args: Arguments): RestoreOperation | null => {
  const id = args.text('id');
  const found = id === undefined ? null : findCommand(service.ledger, id);
  return found?.ok && found.value.id === id && found.value.name === 'RestoreOperation'
    ? (found.value.payload as RestoreOperation)
    : null;
};

const payloadOf = (service: Service, { kind, operation, position, only }: Way): RestoreOperation => ({
  kind,
  operation: operation.id,
  position,
  head: currentHost(service.ledger).position,
  only,
});

const lossLines = ({ remarks = [] }: Pick<Verdict, 'remarks'>): string =>
  remarks.map((one) => `  not undone: ${escapeText(one)}\n`).join('');

/** Says what will not come back, and asks where that matters. Refusals are left to the decision that is recorded. */
const agree = async (
  service: Service,
  args: Arguments,
  way: Way,
  command: Command,
): Promise<Result<Verdict | null, Failure>> => {
  const planned = await planOnly(service, command);
  if (!planned.ok) return ok(null);
  const { remarks = [], plan } = planned.value;
  const removed = plan.facts.flatMap((fact) => (fact.type === 'VmRemoved' ? [fact.vm] : []));
  const asks = way.asks || remarks.length > 0 || removed.length > 0;
  if (!asks || args.flag('plan')) return ok(planned.value);
  if (!args.flag('json')) {
    talk(lossLines({ remarks }));
    for (const vm of removed) talk(`  goes: VM ${escapeText(vm)}; its disks wait in the trash\n`);
  }
  const what =
    way.kind === 'revert'
      ? `This takes ${escapeText(nameOf(way.operation))} out of the present state`
      : `This goes back to ev:${way.position}, ${escapeText(nameOf(way.operation))}`;
  const sure = await confirm(args, what, 'yes');
  return sure.ok ? ok(planned.value) : sure;
};

/** The change that leads back, agreed to. */
const changeBack = async (service: Service, args: Arguments, way: Way): Promise<Result<Change, Failure>> => {
  const stored = storedFor(service, args);
  const command = await built('RestoreOperation', stored ?? payloadOf(service, way));
  if (!command.ok) return command;
  const verdict = stored ? ok(null) : await agree(service, args, way, command.value);
  if (!verdict.ok) return verdict;
  const lost = verdict.value?.remarks ?? [];
  const { main, facts } = verdict.value?.plan ?? { main: [], facts: [] };
  const nothing = verdict.value !== null && main.length + facts.length === 0 ? '   (all of it is so already)' : '';
  const { operation, position, only } = way;
  return ok({
    topic: way.topic,
    command: command.value,
    planned: lossLines,
    show: () => ({
      text: `${way.done} ${nameOf(operation)}${only === null ? '' : ` for ${escapeText(only)}`}${nothing}\n`,
      fields: { operation: operation.id, operationName: operation.name, position, only, lost },
    }),
  });
};

/** Where a way back leads, or null where there is nothing to go back to. */
type Choose = (service: Service) => Result<Way | null, Failure>;

const sayNothing = (service: Service, args: Arguments, topic: string): number => {
  if (args.flag('json')) outJson(topic, asOf(service), { item: { operation: null, outcome: 'nothing' } });
  else out('nothing to do\n');
  return 0;
};

/** A command that goes back: chooses where to, agrees on it, and does it. */
export const goBack = async (args: Arguments, topic: string, choose: Choose): Promise<Result<number, Failure>> => {
  const service = openService(args, 'write');
  if (!service.ok) return service;
  const way = choose(service.value);
  if (way.ok && way.value) {
    const chosen = way.value;
    return runChange(service, args, (opened) => changeBack(opened, args, chosen));
  }
  try {
    return way.ok ? ok(sayNothing(service.value, args, topic)) : way;
  } finally {
    closeService(service.value);
  }
};

/** What has begun and not ended has to end first: nobody could say what going back means. */
export const mustBeSettled = (service: Service): Result<null, Failure> => {
  const [open] = currentHost(service.ledger).operations.values();
  if (!open) return ok(null);
  const message = `${nameOf({ name: open.name, id: open.command })} has not ended`;
  const id = shortId(open.command);
  const next = unwritten(open)
    ? `domtrail backup resume ${id}   or   domtrail backup cancel ${id}`
    : 'domtrail recover';
  return err(failure('D_BUSY', message, { holder: open.command, next }));
};

const ADOPTIONS: ReadonlySet<string> = new Set([
  'AdoptDrift',
  'AdoptHost',
  'AdoptMoved',
  'AdoptStorage',
  'RepairDrift',
]);

/** Behind some commands there is nothing that could come back: the host was made, or taken over as it was found. */
export const beginning = ({ name, first }: Pick<Done, 'name' | 'first'>): Failure | null => {
  if (name === 'InitHost' || first <= 1) return failure('D_CANNOT_UNDO', 'the host itself was made by this operation');
  if (!ADOPTIONS.has(name)) return null;
  return failure('D_CANNOT_UNDO', `${name} brought the log in line with what was there: that is not taken back`);
};
