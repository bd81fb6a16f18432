import { unwritten } from '../../domain/backup/interrupted.ts';
import { stepsOf } from '../../domain/decision.ts';
import { exitOf, type Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { asOf } from '../../infrastructure/cli/change.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outFailure, outJson, talk } from '../../infrastructure/cli/output.ts';
import { escapeText, shortId } from '../../infrastructure/cli/text.ts';
import { acquireLeaseWithin } from '../../infrastructure/ledger/lease.ts';
import { processLives, thisProcess } from '../../infrastructure/ledger/process-identity.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import type { Recovered } from '../../infrastructure/runner/recover.ts';
import { undecided } from '../../infrastructure/service/fsck.ts';
import { recoverHost } from '../../infrastructure/service/recover.ts';
import { closeService, type Service } from '../../infrastructure/service/service.ts';
import { stuck } from '../../infrastructure/service/submit.ts';
import { openService } from '../compose.ts';

const HELP = `domtrail recover: end what a crash or an error left unfinished

  domtrail recover            finishes each command, or takes back what stands; also
                              gives up an interrupted backup, which
                              "domtrail backup resume" would go on with
  domtrail recover --plan     shows what is unfinished, changes nothing
  domtrail recover --yes      also restores LVM's description of a volume group
                              that a power cut has damaged

After a reboot the VMs of the log are halted and their sessions kept as dirty:
the next start goes on with them; volume commit and volume discard decide.
`;

/** Steps that ran side by side are recorded as they ended; a reader wants the plan's order. */
const inOrder = (steps: Recovered['steps']): Recovered['steps'] => [...steps].sort((a, b) => a.n - b.n);

const item = ({ command, name, resumedFrom, outcome, failure, steps, told = [] }: Recovered) => ({
  command,
  name,
  resumedFrom,
  outcome,
  error: failure,
  told,
  steps: inOrder(steps).map((step) => ({
    n: step.n,
    object: step.object,
    words: step.words,
    ok: step.type === 'StepDone',
    found: step.type === 'StepDone' && step.found,
    argv: step.evidence.argv,
    exitCode: step.evidence.exitCode,
  })),
});

const line = ({ command, name, outcome, resumedFrom, failure, steps, told = [] }: Recovered): string => {
  const head = `${name}  cmd:${shortId(command)}  ${outcome}${resumedFrom > 0 ? `, from step ${resumedFrom}` : ''}`;
  const words = inOrder(steps).map((step) => {
    const mark = step.type === 'StepFailed' ? '!' : step.type === 'StepDone' && step.found ? '=' : '~';
    return `  ${`${step.n}`.padStart(2)} ${mark} ${escapeText(step.object)}  ${escapeText(step.words)}${mark === '=' ? '  (was done already)' : ''}`;
  });
  return [
    head,
    ...told.map((one) => `   ${escapeText(one)}`),
    ...words,
    ...(failure ? [`   because: ${escapeText(failure.message)}`] : []),
  ].join('\n');
};

type Planned = { readonly command: string; readonly waits: boolean; readonly open: readonly number[] };

const courseOf = ({ command, waits, open }: Planned): string =>
  waits ? `would be given up (domtrail backup resume ${shortId(command)} goes on)` : `open steps: ${open.join(', ')}`;

const plan = (service: Service, json: boolean): number => {
  const open = [...currentHost(service.ledger).operations.values()];
  const items = open.map((operation) => ({
    command: operation.command,
    name: operation.name,
    course: operation.course.is,
    waits: unwritten(operation) !== null && !processLives(operation.owner),
    done: Object.keys(operation.done).map(Number),
    open: stepsOf(operation.plan)
      .map(({ n }) => n)
      .filter((n) => !(n in operation.done)),
  }));
  if (json) outJson('recover-plan', asOf(service), { items });
  else if (items.length === 0) out('nothing is unfinished\n');
  else out(items.map((one) => `${one.name}  cmd:${shortId(one.command)}  ${one.course}; ${courseOf(one)}\n`).join(''));
  return items.length === 0 ? 0 : 2;
};

const dirtyVolumes = ({ ledger }: Service): readonly string[] =>
  [...currentHost(ledger).vms.values()]
    .flatMap(volumesOf)
    .filter(({ situation }) => situation.is === 'dirty')
    .map(({ spec }) => spec.key);

const work = async (service: Service, args: Arguments): Promise<Result<number, Failure>> => {
  const lease = await acquireLeaseWithin(service.ledger, thisProcess(), 'recover', service.waitMs);
  if (!lease.ok) return lease;
  const rewrites = args.flag('yes');
  const ended = await recoverHost(service, { fault: service.fault, failedToo: true, backupsToo: true, rewrites });
  if (!ended.ok) return ended;
  const { recovered, barred } = ended.value;
  const published = service.publish();
  if (!published.ok) return published;
  const json = args.flag('json');
  if (json) outJson('recover', asOf(service), { items: recovered.map(item) });
  else {
    out(recovered.length === 0 ? 'nothing to recover\n' : `${recovered.map(line).join('\n')}\n`);
    for (const key of dirtyVolumes(service)) talk(`${key}: ${undecided(key)}\n`);
  }
  const problem = stuck(recovered);
  if (problem) return ok(outFailure(problem, json));
  const [first] = barred.values();
  if (first) return ok(outFailure(first, json));
  return ok(recovered.some(({ outcome }) => outcome === 'busy') ? exitOf('D_BUSY') : 0);
};

const recover: Action = {
  options: { plan: 'flag', yes: 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'recover');
    if (!words.ok) return words;
    const service = openService(args, 'write');
    if (!service.ok) return service;
    try {
      return args.flag('plan') ? ok(plan(service.value, args.flag('json'))) : await work(service.value, args);
    } finally {
      closeService(service.value);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(recover, 'recover', argv);
