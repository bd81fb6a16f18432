import { plain } from '../drivers/lvm-thin/argv.ts';

/** Which step of which command a command line of LVM says it was run for. Anyone can write that. */
export type Mark = { readonly command: string; readonly step: number };

/** A command's id as it stands in a mark. */
export const idInMark = plain;

/** The quotes may have been escaped once more on the way into the archive. */
const STEP = /domtrail\/step=\\*"([A-Za-z0-9_.-]{1,200})\/([0-9]{1,9})\\*"/;
const COMMAND_TAG = /--addtag dt\.cmd=([A-Za-z0-9_.-]{1,200})(?=\s|$)/;
const STEP_TAG = /--addtag dt\.step=([0-9]{1,9})(?=\s|$)/;

/** Creations are marked by the tags they set, other changes by a section of configuration that LVM does not know. */
export const markIn = (commandLine: string): Mark | null => {
  const [, command, step] = STEP.exec(commandLine) ?? [];
  const id = command ?? COMMAND_TAG.exec(commandLine)?.[1];
  const n = step ?? STEP_TAG.exec(commandLine)?.[1];
  return id === undefined || n === undefined ? null : { command: id, step: Number(n) };
};

const CHANGING = new Set(['lvcreate', 'lvrename', 'lvremove', 'lvresize']);

/** The volume group that a program of ours changed, so that its archive must tell of it; null when it changed none. */
export const groupChangedBy = (argv: readonly string[]): string | null => {
  const words = argv.slice(argv.indexOf('lvm') + 1);
  const changes = CHANGING.has(words[0] ?? '') || words.includes('--setactivationskip=n');
  const name = changes ? words[words.indexOf('--') + 1] : undefined;
  return name?.split('/')[0] ?? null;
};
