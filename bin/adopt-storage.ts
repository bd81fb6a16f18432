import { counted } from '../domain/counted.ts';
import type { Verdict } from '../domain/decision.ts';
import type { Fact } from '../domain/event.ts';
import type { Failure } from '../domain/failure.ts';
import { ok, type Result } from '../domain/result.ts';
import { bind } from '../domain/steps.ts';
import { findPool } from '../domain/volume/find.ts';
import { wordsOf } from '../domain/words.ts';
import { type Arguments, CHANGING } from '../infrastructure/cli/arguments.ts';
import { runChange, type Shown } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { talk } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { eventsBetween } from '../infrastructure/ledger/fold.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import type { Service } from '../infrastructure/service/service.ts';
import { type Heard, heardText, takeTestimony } from './adopt-testimony.ts';
import { ARCHIVE_OPTIONS } from './archive-dirs.ts';
import { built } from './changing.ts';
import { driverFor, openService } from './compose.ts';

const lines = (texts: readonly string[]): string => texts.map((text) => `${escapeText(text)}\n`).join('');

const planned = ({ plan, remarks = [] }: Verdict): string => {
  const facts = plan.facts.map((fact) => bind<Fact>(fact, new Map()));
  const taken = facts.filter(({ type }) => type !== 'StorageAdopted').map(wordsOf);
  return lines([...taken, ...remarks]);
};

type Sum = {
  readonly adopted: readonly string[];
  readonly trashed: readonly string[];
  readonly untouched: readonly { readonly name: string; readonly why: string }[];
  readonly notes: readonly { readonly object: string; readonly note: string }[];
};

const NOTHING: Sum = { adopted: [], trashed: [], untouched: [], notes: [] };

/** What the log holds of an adoption that began after `position`. */
const sumSince = ({ ledger }: Service, position: number): Sum => {
  let sum = NOTHING;
  for (const { event } of eventsBetween(ledger, position, currentHost(ledger).position)) {
    if (event.type === 'DiskAdopted') sum = { ...sum, adopted: [...sum.adopted, wordsOf(event)] };
    if (event.type === 'DiskTrashed') sum = { ...sum, trashed: [...sum.trashed, wordsOf(event)] };
    if (event.type === 'StorageAdopted') sum = { ...sum, untouched: event.untouched, notes: event.notes };
  }
  return sum;
};

const shown = (sum: Sum): Shown => {
  const { adopted, trashed, untouched, notes } = sum;
  if (adopted.length + trashed.length === 0) {
    return { text: 'nothing to adopt (domtrail adopt --storage --plan says why)\n', fields: sum };
  }
  const text = lines([
    ...adopted,
    ...trashed,
    ...notes.map(({ object, note }) => `note: ${object}: ${note}`),
    ...untouched.map(({ name, why }) => `left alone: ${name}: ${why}`),
    `${counted(adopted.length, 'disk')} adopted, ${trashed.length} in the trash, ${untouched.length} left alone`,
  ]);
  return { text, fields: sum };
};

/** A file pool that stock Qubes made lacks the directories for trash and markers. `--plan` does without. */
const prepare = async (service: Service, pool: string | null): Promise<Result<null, Failure>> => {
  const { pools } = currentHost(service.ledger);
  for (const one of pools.values()) {
    if (one.driver !== 'file-reflink' || (pool !== null && pool !== one.name)) continue;
    const driver = driverFor(one);
    // Where nothing lies there is nothing to adopt, and perhaps no file system mounted either.
    const seen = await (driver.firstSurvey ?? driver.survey)();
    if (!seen.ok) return seen;
    const prepared = seen.value.length === 0 ? ok(null) : await driver.prepare();
    if (!prepared.ok) return prepared;
  }
  return ok(null);
};

const UNHEARD: Heard = { told: [], unreadable: [], left: 0 };

/** The past before the present. An archive that cannot be read does not keep the disks from being adopted. */
const hearFirst = async (service: Service, args: Arguments): Promise<Heard> => {
  if (args.flag('without-archive')) return UNHEARD;
  const heard = await takeTestimony(service, args, 'what was before the log');
  if (heard.ok) return heard.value;
  const { message, cause = '' } = heard.error;
  talk(`warning: nothing was taken from LVM's archive: ${escapeText(message)} ${escapeText(cause)}\n`);
  return UNHEARD;
};

const withTestimony = ({ text, fields }: Shown, { told, unreadable, left }: Heard): Shown => {
  const line =
    told.length === 0 ? '' : `${counted(told.length, 'command')} of LVM's archive came into the log as testimony\n`;
  return { text: `${line}${text}`, fields: { ...fields, testimony: { commands: told.length, unreadable, left } } };
};

const run = (args: Arguments): Promise<Result<number, Failure>> =>
  runChange(openService(args, 'write'), args, async (service) => {
    const pool = args.text('pool') ?? null;
    const known = pool === null ? ok(null) : findPool(currentHost(service.ledger), pool);
    if (!known.ok) return known;
    const command = await built('AdoptStorage', { pool, vms: args.values });
    if (!command.ok) return command;
    const ready = args.flag('plan') ? ok(null) : await prepare(service, pool);
    if (!ready.ok) return ready;
    const heard = await hearFirst(service, args);
    const { position } = currentHost(service.ledger);
    return ok({
      topic: 'adopt-storage',
      command: command.value,
      planned: (verdict) => `${heardText(heard)}${planned(verdict)}`,
      show: (after) => withTestimony(shown(sumSince(after, position)), heard),
    });
  });

/** `adopt --storage`: the disks of volumes that came into the log from elsewhere. */
export const adoptStorage: Action = {
  options: { ...CHANGING, ...ARCHIVE_OPTIONS, storage: 'flag', pool: 'value', 'without-archive': 'flag' },
  help: '',
  run,
};
