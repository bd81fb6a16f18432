import { mustFit } from '../domain/firewall/limits.ts';
import { parseRule } from '../domain/firewall/parse.ts';
import { apiRule, entryRule } from '../domain/firewall/texts.ts';
import { err, ok } from '../domain/result.ts';
import { usage } from '../infrastructure/cli/arguments.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { readInput } from '../infrastructure/cli/input-file.ts';
import { out, outJson } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';

/** 10,000 rules of the longest kind QubesDB holds. */
const LARGEST = 32 * 2 ** 20;

type Item = {
  readonly input: string;
  readonly ok: boolean;
  readonly rule: string | null;
  readonly entry: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
};

const itemOf = (input: string, now: number): Item => {
  const parsed = parseRule(input);
  const rule = parsed.ok ? mustFit(parsed.value) : parsed;
  if (!rule.ok) {
    const { code, message } = rule.error;
    return { input, ok: false, rule: null, entry: null, error: { code, message } };
  }
  return { input, ok: true, rule: apiRule(rule.value, now), entry: entryRule(rule.value, now), error: null };
};

const lineText = (item: Item): string => {
  if (item.error)
    return `! ${escapeText(item.input.slice(0, 200))}\n    error[${item.error.code}]: ${escapeText(item.error.message)}`;
  return item.rule === null ? `- ${escapeText(item.input)}  (expired: without effect)` : `= ${item.rule}`;
};

const pageOf = (items: readonly Item[]): string => {
  const bad = items.filter((item) => !item.ok).length;
  return `${[...items.map(lineText), `${items.length} rules, ${bad} of them not valid`].join('\n')}\n`;
};

/** Rules as they would be taken, one a line; needs no home and no VM. */
export const checkWith = (help: string): Action => ({
  options: { file: 'value' },
  help,
  run: async (args) => {
    const file = args.text('file');
    if (file === undefined && args.values.length === 0) {
      return err(usage('firewall check takes -f FILE, -f - or rules', 'firewall'));
    }
    const read = file === undefined ? ok(null) : readInput(file, LARGEST);
    if (!read.ok) return read;
    const lines = read.value ? read.value.toString('utf8').split('\n') : args.values;
    const now = Date.now();
    const items = lines.filter((line) => line !== '').map((line) => itemOf(line, now));
    if (args.flag('json')) outJson('firewall-check', { position: 0, time: null }, { items });
    else out(pageOf(items));
    return ok(items.every((item) => item.ok) ? 0 : 1);
  },
});
