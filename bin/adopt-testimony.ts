import type { LvmTestimony } from '../domain/adoption/testimony.ts';
import { wordsOfTestimony } from '../domain/adoption/testimony.ts';
import { counted } from '../domain/counted.ts';
import type { Failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type Arguments, CHANGING, expectWords } from '../infrastructure/cli/arguments.ts';
import { asOf } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { out, outJson, talk } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { thisActor } from '../infrastructure/service/actor.ts';
import { type ArchivedGroup, archivedGroups, newTestimony } from '../infrastructure/service/lvm-archive.ts';
import { closeService, type Service } from '../infrastructure/service/service.ts';
import { submit } from '../infrastructure/service/submit.ts';
import { ARCHIVE_OPTIONS, archiveDirs } from './archive-dirs.ts';
import { built } from './changing.ts';
import { openService } from './compose.ts';

/** `told`: what is new, oldest first. `unreadable`: files that were skipped. `left`: how many older ones were not read. */
export type Heard = {
  readonly told: readonly LvmTestimony[];
  readonly unreadable: readonly { readonly file: string; readonly why: string }[];
  readonly left: number;
};

/** One command of ours takes so much of it, so that no row of the log grows without bounds. */
const AT_ONCE = 500;

type Wish = 'all' | 'what was before the log';

const onlyOld = (wish: Wish, { log }: ArchivedGroup): boolean => wish !== 'all' && log.acts.length > 0;

const warn = ({ unreadable, left }: Heard): void => {
  for (const { file, why } of unreadable) talk(`warning: ${escapeText(file)} was skipped: ${escapeText(why)}\n`);
  if (left > 0) talk(`warning: ${left} older files of LVM's archive were not read: too many, or too large\n`);
};

/** What LVM's archive has that the log has not. Before our first step in a volume group, all of it is from before the log. */
const hear = async (
  service: Service,
  args: Arguments,
  wish: Wish,
): Promise<Result<readonly [ArchivedGroup, Heard][], Failure>> => {
  const host = currentHost(service.ledger);
  const groups = await archivedGroups(service.ledger, host, archiveDirs(args));
  if (!groups.ok) return groups;
  return ok(
    groups.value.map((group) => {
      const { unreadable, left } = group.archive;
      return [group, { told: newTestimony(host, group, onlyOld(wish, group)), unreadable, left }];
    }),
  );
};

const write = async (service: Service, pool: string, told: readonly LvmTestimony[], args: Arguments) => {
  const reason = args.text('message') ?? "what LVM's own archive says";
  for (let from = 0; from < told.length; from += AT_ONCE) {
    const command = await built('AdoptTestimony', { pool, told: told.slice(from, from + AT_ONCE) });
    if (!command.ok) return command;
    const actor = thisActor(process.argv.slice(2));
    const submitted = await submit(service, { command: command.value, id: null, reason, actor });
    if (!submitted.ok) return submitted;
    if (submitted.value.failure) return err(submitted.value.failure);
  }
  return ok(null);
};

/** Takes LVM's archive into the log, or with `--plan` only says what it has. Reads only; warns of what could not be read. */
export const takeTestimony = async (service: Service, args: Arguments, wish: Wish): Promise<Result<Heard, Failure>> => {
  const heard = await hear(service, args, wish);
  if (!heard.ok) return heard;
  for (const [{ pool }, { told }] of args.flag('plan') ? [] : heard.value) {
    const written = await write(service, pool.name, told, args);
    if (!written.ok) return written;
  }
  const all = heard.value.map(([, one]) => one);
  const sum: Heard = {
    told: all.flatMap(({ told }) => told),
    unreadable: all.flatMap(({ unreadable }) => unreadable),
    left: all.reduce((total, { left }) => total + left, 0),
  };
  warn(sum);
  return ok(sum);
};

const SHOWN = 20;

/** What was heard, in lines: the newest of it. */
export const heardText = ({ told }: Heard): string => {
  if (told.length === 0) return '';
  const shown = told.slice(-SHOWN).map((one) => `${escapeText(wordsOfTestimony(one))}\n`);
  const more = told.length > SHOWN ? `... ${told.length - SHOWN} older ones\n` : '';
  return `${more}${shown.join('')}`;
};

const tell = (service: Service, args: Arguments, heard: Heard): number => {
  const { told, unreadable, left } = heard;
  const plan = args.flag('plan');
  if (args.flag('json')) {
    outJson(plan ? 'adopt-lvm-archive-plan' : 'adopt-lvm-archive', asOf(service), { item: { told, unreadable, left } });
  } else {
    const sum = `${counted(told.length, 'command')} of LVM's archive ${plan ? 'would come' : 'came'} into the log as testimony\n`;
    out(`${heardText(heard)}${told.length === 0 ? 'nothing new in the archive of LVM\n' : sum}`);
  }
  return plan && told.length > 0 ? 2 : 0;
};

/** `adopt --lvm-archive`: the commands of others in LVM's own archive, as testimony. */
export const adoptTestimony: Action = {
  options: { ...CHANGING, ...ARCHIVE_OPTIONS, 'lvm-archive': 'flag' },
  help: '',
  run: async (args) => {
    const words = expectWords(args.values, [], 'adopt');
    if (!words.ok) return words;
    const service = openService(args, 'write');
    if (!service.ok) return service;
    try {
      const heard = await takeTestimony(service.value, args, 'all');
      return heard.ok ? ok(tell(service.value, args, heard.value)) : heard;
    } finally {
      closeService(service.value);
    }
  },
};
