import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { copyOfHost } from '../domain/host/copy-host.ts';
import type { Host } from '../domain/host/host.ts';
import { talk } from '../infrastructure/cli/output.ts';
import { beginningOf, hostAtBeginning } from '../infrastructure/ledger/beginning.ts';
import { foldTo } from '../infrastructure/ledger/fold.ts';
import { NOT_STARTED, run } from '../infrastructure/process/run.ts';
import { type Verdict, verdictOf } from '../infrastructure/service/bisect.ts';
import { writeState } from '../infrastructure/service/stored-state.ts';
import { LOOKING_BACK, type Reading } from './compose.ts';

/** So many events are folded at most to reach a position that lies before one that was looked at. */
const EVENTS_BETWEEN = 32_768;

/** States by position, kept every so often on the way: all of a search costs about one pass over the log. */
const statesOf = ({ ledger }: Reading): ((position: number) => Host) => {
  const states = new Map<number, Host>([[beginningOf(ledger).position, hostAtBeginning(ledger)]]);
  return (position) => {
    const nearest = Math.max(...[...states.keys()].filter((known) => known <= position));
    const from = states.get(nearest) ?? hostAtBeginning(ledger);
    let host = from;
    while (host.position < position) {
      host = foldTo(ledger, Math.min(position, host.position + EVENTS_BETWEEN), copyOfHost(host));
      states.set(host.position, host);
    }
    return host;
  };
};

/** A program as the check of a search, and the end of what it needs on disk. */
export type ProgramCheck = { readonly check: (position: number) => Promise<Verdict>; readonly end: () => void };

/** Runs the program with the position, the log and the state in its environment; what it prints goes to stderr. */
export const checkProgram = (reading: Reading, argv: readonly [string, ...string[]]): ProgramCheck => {
  const directory = mkdtempSync(join(tmpdir(), 'domtrail-bisect-'));
  const state = join(directory, 'state.json');
  const stateAt = statesOf(reading);
  return {
    check: async (position) => {
      writeState(reading.ledger, stateAt(position), state);
      const env = {
        [LOOKING_BACK.at]: `${position}`,
        [LOOKING_BACK.db]: resolve(reading.ledger.file),
        [LOOKING_BACK.state]: state,
      };
      const { evidence, stdout } = await run(argv, { env });
      talk([stdout, evidence.stderr].map((text) => (text === '' || text.endsWith('\n') ? text : `${text}\n`)).join(''));
      const { exitCode } = evidence;
      const started = exitCode !== NOT_STARTED || !evidence.stderr.endsWith(`${argv[0]}: command not found`);
      const verdict = started ? verdictOf(exitCode) : 'abort';
      talk(`ev:${position} ${verdict} (exit ${exitCode ?? 'none'})\n`);
      return verdict;
    },
    end: () => rmSync(directory, { recursive: true, force: true }),
  };
};
