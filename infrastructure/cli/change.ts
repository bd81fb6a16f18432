import type { Command } from '../../domain/decide.ts';
import { stepsOf, type Verdict } from '../../domain/decision.ts';
import { exitOf, type Failure, failure } from '../../domain/failure.ts';
import { parseCommandId } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { timeOf } from '../ledger/queries.ts';
import { currentHost } from '../ledger/state.ts';
import { thisActor } from '../service/actor.ts';
import { closeService, type Service } from '../service/service.ts';
import { planOnly, type Submitted, stuck, submit } from '../service/submit.ts';
import type { Arguments } from './arguments.ts';
import { type AsOf, out, outFailure, outJson, talk } from './output.ts';
import { planItem, planText } from './plan-text.ts';
import { shortId } from './text.ts';

/**
 * What a command shows when it is done, besides its outcome: lines for people, fields for programs. `problem`: it was done,
 * but not all of it could be.
 */
export type Shown = {
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly problem?: Failure | null;
};
export type Change = {
  readonly command: Command;
  /** schema name of the JSON document: `vm-start` */
  readonly topic: string;
  readonly show: (service: Service) => Shown;
  /** what `--plan` says besides the steps */
  readonly planned?: (verdict: Verdict) => string;
};

/** The head, as every document of a service names it. */
export const asOf = (service: Service): AsOf => {
  const { position } = currentHost(service.ledger);
  return { position, time: timeOf(service.ledger, position) };
};

const tellRecovered = ({ recovered }: Submitted): void => {
  for (const { name, command, outcome } of recovered) {
    // A living process carries on with its own; that is no news.
    if (outcome === 'busy') continue;
    talk(`recovered: ${name} (cmd:${shortId(command)}) ${outcome}\n`);
  }
  const problem = stuck(recovered);
  if (problem) outFailure(problem, false);
};

const tellLeftover = ({ ended }: Submitted): void => {
  if (ended?.is === 'completed' && ended.leftover.length > 0) {
    talk(`note: ${ended.leftover.length} clean-up steps were left; the disks wait in the trash: domtrail gc --plan\n`);
  }
};

type Told = Pick<Change, 'topic' | 'show'> & { readonly name: Command['name'] };

const showDone = (service: Service, submitted: Submitted, { topic, show, name }: Told, json: boolean): number => {
  const shown = show(service);
  const { id, repeated, outcome } = submitted;
  if (json) {
    outJson(topic, asOf(service), {
      item: { command: id, name, outcome: outcome.outcome, repeated, ...shown.fields },
    });
  } else out(shown.text);
  return shown.problem ? outFailure(shown.problem, json) : 0;
};

const plan = async (service: Service, change: Change, json: boolean): Promise<Result<number, Failure>> => {
  const decision = await planOnly(service, change.command);
  if (!decision.ok) return decision;
  const { position } = currentHost(service.ledger);
  if (json) outJson(`${change.topic}-plan`, asOf(service), { item: planItem(change.command.name, decision.value) });
  else out(`${planText(change.command.name, decision.value, position)}${change.planned?.(decision.value) ?? ''}`);
  const nothing = stepsOf(decision.value.plan).length === 0 && decision.value.plan.facts.length === 0;
  return ok(nothing ? 0 : 2);
};

/** Tells what became of a command and gives its exit code. */
export const showSubmitted = (service: Service, submitted: Submitted, told: Told, json: boolean): number => {
  tellRecovered(submitted);
  tellLeftover(submitted);
  const problem = submitted.failure;
  if (!problem) return showDone(service, submitted, told, json);
  outFailure({ ...problem, position: problem.position ?? submitted.outcome.lastPosition }, json);
  return exitOf(problem.code);
};

const perform = async (service: Service, change: Change, args: Arguments): Promise<Result<number, Failure>> => {
  const given = args.text('id');
  const id = given === undefined ? null : parseCommandId(given);
  if (id && !id.ok) return id;
  const reason = args.text('message') ?? null;
  if (reason !== null && reason.length > 4096)
    return err(failure('D_BAD_INPUT', 'a reason has at most 4096 characters'));
  const actor = thisActor(process.argv.slice(2));
  const submitted = await submit(service, { command: change.command, id: id?.value ?? null, reason, actor });
  if (!submitted.ok) return submitted;
  const { topic, show, command } = change;
  return ok(showSubmitted(service, submitted.value, { topic, show, name: command.name }, args.flag('json')));
};

/** A changing command from its arguments to its exit code: plans it with `--plan`, else submits it and shows what came of it. */
export const runChange = async (
  opened: Result<Service, Failure>,
  args: Arguments,
  changeFor: (service: Service) => Result<Change, Failure> | Promise<Result<Change, Failure>>,
): Promise<Result<number, Failure>> => {
  if (!opened.ok) return opened;
  const service = opened.value;
  try {
    const change = await changeFor(service);
    if (!change.ok) return change;
    return args.flag('plan')
      ? await plan(service, change.value, args.flag('json'))
      : await perform(service, change.value, args);
  } finally {
    closeService(service);
  }
};
