import type { Command } from '../domain/decide.ts';
import type { Failure } from '../domain/failure.ts';
import { ok, type Result } from '../domain/result.ts';
import { type Arguments, CHANGING, expectWords } from '../infrastructure/cli/arguments.ts';
import { runChange, type Shown } from '../infrastructure/cli/change.ts';
import { confirm } from '../infrastructure/cli/confirm.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import type { Service } from '../infrastructure/service/service.ts';
import { openService } from './compose.ts';

type Words = readonly string[];
type Built = Result<Command, Failure>;
type Build = (args: Arguments, words: Words) => Built | Promise<Built>;
type Show = (service: Service, words: Words) => Shown;

/** A command whose payload its schema let through. The schemas take longer to load than a short command runs, hence late. */
export const built = async (name: Command['name'], input: unknown): Promise<Built> => {
  const { parsePayload } = await import('../domain/command/parse.ts');
  const payload = parsePayload(name, input);
  return payload.ok ? ok({ name, payload: payload.value } as Command) : payload;
};

export const say = (text: string): Shown => ({ text: `${text}\n`, fields: {} });

type Making = {
  /** schema name of the JSON document: `vm-start` */
  readonly topic: string;
  /** what the words are called in messages; those in brackets may be left out, from the end */
  readonly words: Words;
  readonly build: Build;
  readonly show: Show;
  readonly options?: Action['options'];
  /** asked before something is destroyed; the first word must be typed to go on */
  readonly question?: (words: Words) => string;
};

/** Makes the changing actions of a group of commands. */
export const changingIn =
  (group: string, help: string) =>
  ({ topic, words: names, build, show, options = {}, question }: Making): Action => ({
    options: { ...CHANGING, ...options },
    help,
    run: async (args) => {
      const optional = names.filter((name) => name.startsWith('[')).length;
      const words = expectWords(args.values, names, group, optional);
      if (!words.ok) return words;
      const command = await build(args, words.value);
      if (!command.ok) return command;
      if (question) {
        const sure = await confirm(args, escapeText(question(words.value)), words.value[0] ?? 'yes');
        if (!sure.ok) return sure;
      }
      return runChange(openService(args, 'write'), args, () =>
        ok({ topic, command: command.value, show: (service) => show(service, words.value) }),
      );
    },
  });
