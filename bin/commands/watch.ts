import { once } from 'node:events';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { concerns } from '../../infrastructure/cli/concerns.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { eventItem } from '../../infrastructure/cli/event-item.ts';
import { lineWidth, outWhileRead } from '../../infrastructure/cli/output.ts';
import { escapeText } from '../../infrastructure/cli/text.ts';
import { closeLedger, type Ledger } from '../../infrastructure/ledger/ledger.ts';
import { findCommand, positionBefore } from '../../infrastructure/ledger/queries.ts';
import { subscribe } from '../../infrastructure/ledger/subscribe.ts';
import { whenReaderIsGone } from '../../infrastructure/process/reader-gone.ts';
import { openReading } from '../compose.ts';
import { actorsOf, type Entry } from '../log-events.ts';
import { EVENT_COLUMNS, eventRow, FILTERS, type Filter, filterOf } from '../log-filter.ts';

const HELP = `domtrail watch: what happens, as it happens

  domtrail watch                    every event from now on, whoever causes it
  domtrail watch work:private       of a volume; also work, cmd:ID, a disk id, VG/LV
  domtrail watch --since ev:480     what has happened since then first
  domtrail watch --failed           only what goes wrong
  domtrail watch --type SessionCommitted --actor serve -g 'commit|revert'
  domtrail watch --jsonl            a line of JSON each, for programs

Reads only. Ctrl-C ends it, and so does whoever reads it by reading no more.
`;

const WIDTHS = [6, 19, 8, 8] as const;

/** One row of a table that has no end, so its columns are as wide as they mostly have to be. */
const rowText = (cells: readonly string[], width: number): string => {
  const line = cells.map((cell, column) => escapeText(cell).padEnd(WIDTHS[column] ?? 0)).join('  ');
  return `${line.length > width ? `${line.slice(0, width - 1)}…` : line.trimEnd()}\n`;
};

/** What an entry is written as. */
const textOf = (args: Arguments): ((entry: Entry) => string) => {
  if (args.flag('jsonl')) return ({ recorded, actor }) => `${JSON.stringify(eventItem(recorded, actor))}\n`;
  const width = lineWidth();
  return (entry) => rowText(eventRow(entry), width);
};

const objectFilter = (ledger: Ledger, object: string | undefined): Result<Filter, Failure> => {
  if (object === undefined) return ok(() => true);
  if (object.startsWith('-')) return err(usage(`${object} is no object`, 'watch'));
  const command = object.startsWith('cmd:') ? findCommand(ledger, object.slice('cmd:'.length)) : null;
  if (command && !command.ok) return command;
  const about = concerns(command ? `cmd:${command.value.id}` : object);
  return ok(({ recorded }) => about(recorded));
};

type Watch = {
  readonly ledger: Ledger;
  readonly after: number;
  readonly wanted: Filter;
  readonly text: (entry: Entry) => string;
};

/** Until an interrupt (130), or until nobody reads what is written (0). */
const follow = ({ ledger, after, wanted, text }: Watch): Promise<Result<number, Failure>> =>
  new Promise((resolve) => {
    const actorOf = actorsOf(ledger);
    const end = (result: Result<number, Failure>): void => {
      tail.unsubscribe();
      stopListening();
      resolve(result);
    };
    const tail = subscribe(ledger, { after }).subscribe({
      next: (signal) => {
        if (signal.kind !== 'event') return;
        const entry = { recorded: signal.recorded, actor: actorOf(signal.recorded.command) };
        if (wanted(entry) && !outWhileRead(text(entry))) end(ok(0));
      },
      error: (error: Failure) => end(err(error)),
    });
    const stopListening = whenReaderIsGone(() => end(ok(0)));
    void once(process, 'SIGINT').then(() => end(ok(130)));
  });

const watch = async (args: Arguments): Promise<Result<number, Failure>> => {
  const words = expectWords(args.values, ['OBJECT'], 'watch', 1);
  if (!words.ok) return words;
  if (args.flag('json')) return err(usage('what has no end is no one document: --jsonl', 'watch'));
  if (args.text('at') !== undefined) return err(usage('watch looks ahead: --since, or log --at', 'watch'));
  const filter = filterOf(args, 'watch');
  if (!filter.ok) return filter;
  const reading = openReading(args);
  if (!reading.ok) return reading;
  const { ledger, asOf } = reading.value;
  try {
    if (ledger.db.memory) {
      const next = 'domtrail log, or watch where the ledger can be opened';
      return err(
        failure('D_HOME_UNREADABLE', 'only a copy of the log can be read here, which nothing new reaches', { next }),
      );
    }
    const about = objectFilter(ledger, words.value[0]);
    if (!about.ok) return about;
    const since = args.text('since');
    const after = since === undefined ? ok(asOf.position) : positionBefore(ledger, since);
    if (!after.ok) return after;
    const text = textOf(args);
    if (!args.flag('jsonl') && !outWhileRead(rowText(EVENT_COLUMNS, lineWidth()))) return ok(0);
    const wanted: Filter = (entry) => filter.value(entry) && about.value(entry);
    return await follow({ ledger, after: after.value, wanted, text });
  } finally {
    closeLedger(ledger);
  }
};

const action: Action = { options: { ...FILTERS, since: 'value', jsonl: 'flag' }, help: HELP, run: watch };

export const main = (argv: readonly string[]): Promise<number> => runAction(action, 'watch', argv);
