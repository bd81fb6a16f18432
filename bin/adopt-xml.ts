import { hash } from 'node:crypto';
import type { Verdict } from '../domain/decision.ts';
import type { Document } from '../domain/document/commands.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type Arguments, CHANGING, expectWords, usage } from '../infrastructure/cli/arguments.ts';
import { runChange, type Shown } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { readInput } from '../infrastructure/cli/input-file.ts';
import { talk } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { firewallsBelow } from '../infrastructure/firewall-xml/find.ts';
import { eventsBetween } from '../infrastructure/ledger/fold.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { readQubesXml } from '../infrastructure/qubes-xml/read.ts';
import { LARGEST_DOCUMENT } from '../infrastructure/qubes-xml/read-tree.ts';
import type { Service } from '../infrastructure/service/service.ts';
import { built } from './changing.ts';
import { openService } from './compose.ts';

const warn = (texts: readonly string[]): void => talk(texts.map((text) => `warning: ${escapeText(text)}\n`).join(''));

const textOf = (bytes: Buffer): Result<string, Failure> => {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return err(failure('D_DOCUMENT_REFUSED', 'the document is not UTF-8'));
  }
};

/** The last name and class that each domain element gives itself; what stock makes of them is decided later. */
const namedIn = ({ domains }: Document) =>
  domains.flatMap((domain) => {
    const name = domain.properties.findLast((one) => one.name === 'name')?.text;
    return name ? [{ name, class: domain.class ?? '' }] : [];
  });

type Input = { readonly digest: string; readonly document: Document; readonly firewalls: readonly unknown[] };

const inputOf = (file: string, directory: string | undefined): Result<Input, Failure> => {
  const bytes = readInput(file, LARGEST_DOCUMENT);
  if (!bytes.ok) return bytes;
  const text = textOf(bytes.value);
  const document = text.ok ? readQubesXml(text.value) : text;
  if (!document.ok) return document;
  const vms = directory === undefined ? [] : namedIn(document.value).filter((vm) => vm.class !== 'AdminVM');
  const found = directory === undefined ? ok([]) : firewallsBelow(directory, vms);
  if (!found.ok) return found;
  for (const { vm, notes } of found.value) warn(notes.map((note) => `firewall of ${vm}: ${note}`));
  const firewalls = found.value.map(({ vm, rules }) => ({ vm, rules }));
  return ok({ digest: hash('sha256', bytes.value), document: document.value, firewalls });
};

/** What the log holds of an adoption that began after `position`. */
const shown = ({ ledger }: Service, position: number): Shown => {
  const host = currentHost(ledger);
  const events = [...eventsBetween(ledger, position, host.position)].map(({ event }) => event);
  const lost = events.flatMap((event) => (event.type === 'HostAdopted' ? event.lost : []));
  const firewalls = events.filter(({ type }) => type === 'FirewallChanged').length;
  warn(lost.map(({ object, what, why }) => `lost: ${object}: ${what}: ${why}`));
  const counts = [`${host.vms.size} domains`, `${host.pools.size} pools`, `${firewalls} firewalls`];
  const remark = lost.length > 0 ? `; what stock does not take over is kept in the log only (${lost.length})` : '';
  return {
    text: events.length === 0 ? 'adopted already\n' : `adopted ${counts.join(', ')}${remark}\n`,
    fields: { domains: host.vms.size, pools: host.pools.size, firewalls, lost },
  };
};

const planned = ({ plan, remarks = [] }: Verdict): string => {
  const count = plan.facts.filter(({ type }) => type === 'VmCreated').length;
  return [...remarks, `${count} domains would come into the log`].map((text) => `${escapeText(text)}\n`).join('');
};

const run = (args: Arguments): Promise<Result<number, Failure>> =>
  runChange(openService(args, 'write'), args, async (service) => {
    const words = expectWords(args.values, [], 'adopt');
    if (!words.ok) return words;
    const file = args.text('qubes-xml');
    if (file === undefined) return err(usage('--qubes-xml takes a FILE', 'adopt'));
    const input = inputOf(file, args.text('firewall-dir'));
    if (!input.ok) return input;
    const command = await built('AdoptHost', input.value);
    if (!command.ok) return command;
    const { position } = currentHost(service.ledger);
    return ok({
      topic: 'adopt-qubes-xml',
      command: command.value,
      planned,
      show: (after) => shown(after, position),
    });
  });

/** `adopt --qubes-xml`: the configuration of a host that stock Qubes ran. */
export const adoptXml: Action = {
  options: { ...CHANGING, 'qubes-xml': 'value', 'firewall-dir': 'value' },
  help: '',
  run,
};
