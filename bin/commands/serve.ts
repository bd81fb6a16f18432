import { exitOf, type Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { outFailure, talk } from '../../infrastructure/cli/output.ts';
import { escapeText, shortId } from '../../infrastructure/cli/text.ts';
import { attendDaemon } from '../../infrastructure/qubesdb/choose.ts';
import type { Recovered } from '../../infrastructure/runner/recover.ts';
import { systemClock } from '../../infrastructure/serve/clock.port.ts';
import { beTheOnlyOne } from '../../infrastructure/serve/only-one.ts';
import { serve } from '../../infrastructure/serve/serve.ts';
import { type Turned, takeTurn } from '../../infrastructure/serve/turn.ts';
import { closeService, type Service } from '../../infrastructure/service/service.ts';
import { stuck } from '../../infrastructure/service/submit.ts';
import { openService } from '../compose.ts';

const HELP = `domtrail serve: does what is due without being asked

  domtrail serve            stays, in the foreground; Ctrl-C or SIGTERM ends it
  domtrail serve --once     does what is due now and ends (for a timer)

At its start it does what \`recover\` does. From then on it takes out firewall
rules at the instant they expire, publishes rules again when a QubesDB daemon
comes back empty, erases what has been in the trash for longer than it can be
wanted back (removed disks after 48 hours), and writes qubes.xml where a crash
left it behind. Between commands it holds nothing that another would wait for.

A systemd unit is in docs/domtrail-serve.service.
`;

/** How soon a rule that another process sets is known: see docs/adr/0016-serve.md. */
const POLL_MS = 250;

const TROUBLE = new Set<Recovered['outcome']>(['stuck', 'abandoned']);

const line = ({ name, command, outcome, told = [] }: Recovered): string =>
  `${name} cmd:${shortId(command)} ${outcome}${told.length > 0 ? `  (${told.map(escapeText).join('; ')})` : ''}\n`;

const problemOf = (turned: Result<Turned, Failure>): Failure | null => {
  if (!turned.ok) return turned.error;
  const failed = turned.value.done.find(({ outcome, failure }) => failure && TROUBLE.has(outcome));
  return failed?.failure ?? turned.value.problem;
};

const tellDone = ({ done }: Turned): void => {
  for (const one of done) if (one.outcome === 'completed') talk(line(one));
};

/** Says each trouble when it begins and when it is over, not at every attempt. */
const teller = (): ((turned: Result<Turned, Failure>) => void) => {
  let trouble = '';
  return (turned) => {
    if (turned.ok) tellDone(turned.value);
    const problem = problemOf(turned);
    // Somebody else is at work: no trouble.
    if (problem?.code === 'D_BUSY') return;
    const now = problem ? `${problem.code} ${problem.message}` : '';
    if (problem && now !== trouble) outFailure(problem, false);
    trouble = now;
  };
};

/** SIGINT and SIGTERM let the step under way be recorded; the second one ends at once, as a crash would. */
const endingSignals = (): { readonly signal: AbortSignal; readonly exit: () => number } => {
  const ending = new AbortController();
  let exit = 0;
  const on = (signal: NodeJS.Signals, code: number): void => {
    process.once(signal, () => {
      exit = code;
      ending.abort();
    });
  };
  on('SIGINT', 130);
  on('SIGTERM', 0);
  return { signal: ending.signal, exit: () => exit };
};

const once = async (service: Service): Promise<Result<number, Failure>> => {
  const turned = await takeTurn(service, service.fault, { reach: 'all', trash: 0 });
  if (!turned.ok) return turned;
  for (const one of turned.value.done) talk(line(one));
  const problem = stuck(turned.value.done) ?? turned.value.problem;
  if (problem) return ok(outFailure(problem, false));
  return ok(turned.value.done.some(({ outcome }) => outcome === 'busy') ? exitOf('D_BUSY') : 0);
};

const stay = async (service: Service): Promise<Result<number, Failure>> => {
  const alone = beTheOnlyOne(service.ledger, service.home.serveLock);
  if (!alone.ok) return alone;
  const { signal, exit } = endingSignals();
  try {
    talk(`serving ${service.home.dir} (pid ${process.pid})\n`);
    await serve({ service, clock: systemClock, attend: attendDaemon, tell: teller(), signal, pollMs: POLL_MS }).ended;
    return ok(exit());
  } finally {
    alone.value();
  }
};

const run = async (args: Arguments): Promise<Result<number, Failure>> => {
  const words = expectWords(args.values, [], 'serve');
  if (!words.ok) return words;
  const opened = openService(args, 'write');
  if (!opened.ok) return err(opened.error);
  const service: Service = { ...opened.value, tool: 'serve' };
  try {
    return await (args.flag('once') ? once(service) : stay(service));
  } finally {
    closeService(service);
    await service.qubesDb.close();
  }
};

const action: Action = { options: { once: 'flag' }, help: HELP, run };

export const main = (argv: readonly string[]): Promise<number> => runAction(action, 'serve', argv);
