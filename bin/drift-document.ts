import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { wordsOf } from '../domain/words.ts';
import type { Arguments } from '../infrastructure/cli/arguments.ts';
import { asOf, runChange } from '../infrastructure/cli/change.ts';
import { out, outJson } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { eventsBetween } from '../infrastructure/ledger/fold.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { thisActor } from '../infrastructure/service/actor.ts';
import { type ForeignDocument, foreignDocument } from '../infrastructure/service/document-drift.ts';
import { DOCUMENT } from '../infrastructure/service/document-look.ts';
import { closeService, type Service } from '../infrastructure/service/service.ts';
import { submit } from '../infrastructure/service/submit.ts';
import { qubesXml } from '../projections/qubes-xml/qubes-xml.ts';
import { built } from './changing.ts';
import { openService } from './compose.ts';

const foreignNow = ({ ledger, home }: Service): Result<ForeignDocument | null, Failure> =>
  foreignDocument({ host: currentHost(ledger), ledger, home, render: qubesXml });

/** `drift repair qubes.xml`: what the log says is written over what is there, which is kept aside. */
export const repairDocument = (args: Arguments): Promise<Result<number, Failure>> =>
  runChange(openService(args, 'write'), args, async (service) => {
    const found = foreignNow(service);
    if (!found.ok) return found;
    if (!found.value)
      return err(failure('D_NOT_FOUND', `${DOCUMENT} does not differ from the log`, { next: 'domtrail drift' }));
    const { digest } = found.value;
    const command = await built('OverruleDocument', { object: DOCUMENT, digest });
    if (!command.ok) return command;
    const aside = digest === null ? null : `${service.home.qubesXml}.foreign-${digest.slice(0, 8)}`;
    const text = aside === null ? 'written again\n' : `written again; the edited one is ${escapeText(aside)}\n`;
    return ok({ topic: 'drift-repair', command: command.value, show: () => ({ text, fields: { aside } }) });
  });

const mayBeAdopted = (found: ForeignDocument | null): Result<ForeignDocument, Failure> => {
  if (!found)
    return err(failure('D_NOT_FOUND', `${DOCUMENT} does not differ from the log`, { next: 'domtrail drift' }));
  const next = `domtrail drift repair ${DOCUMENT}   (keeps the edited one aside)`;
  const [first] = found.beyond;
  if (first !== undefined)
    return err(failure('D_DRIFT', 'not everything in it can be taken over', { cause: found.beyond.join('\n'), next }));
  if (found.edits.length === 0) return err(failure('D_DRIFT', 'it has no setting to take over', { next }));
  return ok(found);
};

/** One command for each edit, as if it had been typed; the file follows when all are in the log. */
const takeOver = async (service: Service, { edits, digest }: ForeignDocument, args: Arguments) => {
  const quiet: Service = { ...service, publish: () => ok(null) };
  const reason = args.text('message') ?? `taken over from ${DOCUMENT} (sha256 ${digest?.slice(0, 12)})`;
  for (const { command } of edits) {
    const submitted = await submit(quiet, { command, id: null, reason, actor: thisActor(process.argv.slice(2)) });
    if (!submitted.ok) return submitted;
    if (submitted.value.failure) return err(submitted.value.failure);
  }
  return overrule(service, reason, args);
};

/** What is left differs in form only: ours is written, theirs kept aside. */
const overrule = async (service: Service, reason: string, args: Arguments): Promise<Result<null, Failure>> => {
  const left = foreignNow(service);
  if (!left.ok) return left;
  if (!left.value) return service.publish();
  const command = await built('OverruleDocument', { object: DOCUMENT, digest: left.value.digest });
  if (!command.ok) return command;
  const actor = thisActor(process.argv.slice(2));
  const submitted = await submit(service, { command: command.value, id: args.text('id') ?? null, reason, actor });
  if (!submitted.ok) return submitted;
  return submitted.value.failure ? err(submitted.value.failure) : ok(null);
};

const tellPlan = (service: Service, { edits }: ForeignDocument, json: boolean): number => {
  const commands = edits.map(({ words, command }) => ({ words, ...command }));
  if (json) outJson('drift-adopt-plan', asOf(service), { item: { commands } });
  else out(commands.map(({ words, name }) => `${name}  ${escapeText(words)}\n`).join(''));
  return 2;
};

const adopt = async (service: Service, args: Arguments): Promise<Result<number, Failure>> => {
  const seen = foreignNow(service);
  const found = seen.ok ? mayBeAdopted(seen.value) : seen;
  if (!found.ok) return found;
  if (args.flag('plan')) return ok(tellPlan(service, found.value, args.flag('json')));
  const { position } = currentHost(service.ledger);
  const taken = await takeOver(service, found.value, args);
  if (!taken.ok) return taken;
  const events = [...eventsBetween(service.ledger, position, currentHost(service.ledger).position)];
  const changes = events
    .map(({ event }) => event)
    .filter(({ type }) => !type.startsWith('Command'))
    .map(wordsOf);
  if (args.flag('json')) outJson('drift-adopt', asOf(service), { item: { changes } });
  else out(`${changes.map(escapeText).join('\n')}\n`);
  return ok(0);
};

/** `drift adopt qubes.xml`: what somebody edited there becomes what the log says, setting by setting. */
export const adoptDocument = async (args: Arguments): Promise<Result<number, Failure>> => {
  const service = openService(args, 'write');
  if (!service.ok) return service;
  try {
    return await adopt(service.value, args);
  } finally {
    closeService(service.value);
  }
};
