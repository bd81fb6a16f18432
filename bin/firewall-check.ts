import { counted } from '../domain/counted.ts';
import type { Failure } from '../domain/failure.ts';
import { mustFit } from '../domain/firewall/limits.ts';
import { parseRule } from '../domain/firewall/parse.ts';
import { apiRule, entryRule } from '../domain/firewall/texts.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type Arguments, usage } from '../infrastructure/cli/arguments.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { readInput } from '../infrastructure/cli/input-file.ts';
import { out, outJson } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { rulesOfXml } from './firewall-xml-input.ts';

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
  return `${[...items.map(lineText), `${counted(items.length, 'rule')}, ${bad} of them not valid`].join('\n')}\n`;
};

/** Lines end at LF and nowhere else; nothing is trimmed. */
const linesFrom = async (args: Arguments): Promise<Result<readonly string[], Failure>> => {
  const [file, xml] = [args.text('file'), args.text('xml')];
  if ([file, xml, args.values[0]].filter((one) => one !== undefined).length !== 1) {
    return err(usage('firewall check takes one of: -f FILE, -f -, --xml FILE, rules', 'firewall'));
  }
  if (xml !== undefined) return rulesOfXml(xml);
  if (file === undefined) return ok(args.values);
  const bytes = readInput(file, LARGEST);
  return bytes.ok ? ok(bytes.value.toString('utf8').split('\n')) : bytes;
};

/** Rules as they would be taken, one a line; needs no home and no VM. */
export const checkWith = (help: string): Action => ({
  options: { file: 'value', xml: 'value' },
  help,
  run: async (args) => {
    const read = await linesFrom(args);
    if (!read.ok) return read;
    const now = Date.now();
    const items = read.value.filter((line) => line !== '').map((line) => itemOf(line, now));
    if (args.flag('json')) outJson('firewall-check', { position: 0, time: null }, { items });
    else out(pageOf(items));
    return ok(items.every((item) => item.ok) ? 0 : 1);
  },
});
