import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { writeOutput } from '../../infrastructure/cli/output-file.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { reportPage } from '../../projections/report/page.ts';
import { openReading } from '../compose.ts';
import { spanOf } from '../log-span.ts';
import { reportData } from '../report-data.ts';

/** As many as a browser shows at once and a person may scroll through. */
const STANDARD_EVENTS = 3000;

const HELP = `domtrail report: one page for a browser, to keep or to send

  domtrail report --html -o report.html          the newest ${STANDARD_EVENTS} events
  domtrail report --html -o report.html -n 0     all of them
  domtrail report --html -o report.html --since 2026-11-20 --until ev:4800
  domtrail report --html -o report.html --db copy-of-ledger.db --at ev:480

What went back in time, what failed and what mended it, every volume's lineage, how
full the pools were, drift, and every command. One file: no script, nothing that it
fetches. It names machines and people: look at it before you send it.
`;

const limitOf = (args: Arguments): Result<number, Failure> => {
  const text = args.text('number') ?? `${STANDARD_EVENTS}`;
  if (!/^[0-9]{1,9}$/.test(text)) return err(usage('-n takes a whole number of events', 'report'));
  return ok(Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text));
};

const report: Action = {
  options: { html: 'flag', output: 'value', since: 'value', until: 'value', number: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'report');
    if (!words.ok) return words;
    const output = args.text('output');
    if (!args.flag('html') || output === undefined) {
      return err(usage('a report is a page and goes to a file: --html -o FILE (- for stdout)', 'report'));
    }
    const limit = limitOf(args);
    if (!limit.ok) return limit;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      const span = spanOf(args, reading.value);
      if (!span.ok) return span;
      const { after, upTo } = span.value;
      const shown = { after: Math.min(upTo, Math.max(after, upTo - limit.value)), upTo };
      const written = writeOutput(output, reportPage(reportData(reading.value, shown, args.text('db'))));
      return written.ok ? ok(0) : written;
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(report, 'report', argv);
