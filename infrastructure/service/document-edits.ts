import { parsePayload } from '../../domain/command/parse.ts';
import type { CommandName } from '../../domain/command/registry.ts';
import { type Command, decide } from '../../domain/decide.ts';
import type { Document } from '../../domain/document/commands.ts';
import { type Edit, editsBetween, wordsOfEdit } from '../../domain/document/edits.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { readQubesXml } from '../qubes-xml/read.ts';

/** An edit of a qubes.xml by hand, and the command that makes it here. */
type EditCommand = { readonly words: string; readonly command: Command };

/** `beyond`: what no command takes over, in words. */
export type DocumentEdits = { readonly edits: readonly EditCommand[]; readonly beyond: readonly string[] };

const volumeChange = (name: string, value: string | null): unknown => {
  if (name === 'revisions_to_keep') return { revisionsToKeep: Number(value) };
  if (name === 'rw') return { rw: value?.toLowerCase() === 'true' };
  return { ephemeral: value === null ? null : value.toLowerCase() === 'true' };
};

const inputOf = (edit: Edit): { readonly name: CommandName; readonly payload: unknown } => {
  const { vm, name, value } = edit;
  switch (edit.what) {
    case 'property':
      return { name: 'SetProperty', payload: { vm, name, value } };
    case 'feature':
      return { name: 'SetFeature', payload: { vm, name, value } };
    case 'tag':
      return { name: 'SetTag', payload: { vm, name, present: value !== null } };
    case 'volume':
      return { name: 'SetVolume', payload: { vm, volume: edit.volume, change: volumeChange(name, value) } };
  }
};

/** The command for an edit, when the rules of the log allow it. */
const commandFor = (host: Host, edit: Edit): Result<Command, Failure> => {
  const { name, payload } = inputOf(edit);
  const parsed = parsePayload(name, payload);
  if (!parsed.ok) return parsed;
  const command = { name, payload: parsed.value } as Command;
  const context = { now: 0, position: host.position + 1, bootId: '', uuid: '', open: [] };
  const decision = decide(host, command, context);
  return decision.ok ? ok(command) : err(decision.error);
};

const decoded = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};

const documentIn = (bytes: Buffer): Document | string => {
  const text = decoded(bytes);
  if (text === null) return 'the file is not UTF-8';
  const read = readQubesXml(text);
  return read.ok ? read.value : `the file cannot be read: ${read.error.message}`;
};

/** What somebody changed in a qubes.xml that `ours` would be. */
export const documentEdits = (host: Host, ours: string, theirs: Buffer): DocumentEdits => {
  const [mine, other] = [readQubesXml(ours), documentIn(theirs)];
  if (!mine.ok) throw new Error(`our own qubes.xml cannot be read: ${mine.error.message}`);
  if (typeof other === 'string') return { edits: [], beyond: [other] };
  const { edits, beyond } = editsBetween(mine.value, other);
  const judged = edits.map((edit) => ({ words: wordsOfEdit(edit), command: commandFor(host, edit) }));
  return {
    edits: judged.flatMap(({ words, command }) => (command.ok ? [{ words, command: command.value }] : [])),
    beyond: [
      ...judged.flatMap(({ words, command }) =>
        command.ok ? [] : [`${words}, which is refused: ${command.error.message}`],
      ),
      ...beyond,
    ],
  };
};
