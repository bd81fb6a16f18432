import { createHash } from 'node:crypto';
import { basename, dirname, relative } from 'node:path';
import { FilterFailed, throughFilter } from '../process/filter.ts';
import { run } from '../process/run.ts';
import { contentDigest } from './content-digest.ts';

/** dom0's home in a backup is one archive of a whole directory tree, as GNU tar makes it (spec: backup-format 1). */
const HOME_DIR = 'dom0-home';

export const isHome = (path: string): boolean => path.startsWith(`${HOME_DIR}/`);

/** A home directory to be read. `without`: files that grow while it is read, because they are this very backup. */
export type HomeTree = { readonly home: string; readonly without: readonly string[] };

export const isHomeTree = (content: object): content is HomeTree => 'home' in content;

const literally = (name: string): string => name.replaceAll('.', '\\.');

const inside = ({ home, without }: HomeTree): readonly string[] =>
  without.flatMap((path) => {
    const way = relative(home, path);
    return way === '' || way.startsWith('..') ? [] : [`--exclude=${basename(home)}/${way}`];
  });

/** As stock's, but that the targets of symbolic links stay as they are. */
const archiving = (tree: HomeTree): readonly [string, ...string[]] => {
  const name = basename(tree.home);
  return [
    'tar',
    '--create',
    '--sparse',
    '--absolute-names',
    '--file=-',
    `--directory=${dirname(tree.home)}`,
    '--anchored',
    '--no-wildcards',
    ...inside(tree),
    `--transform=s:^${literally(name)}:${HOME_DIR}/\\0:S`,
    '--',
    name,
  ];
};

async function* nothing(): AsyncGenerator<Buffer> {}

const SHOWN = 20;
const LONGEST = 200;

/** tar's lines without its name and without its last word. */
const linesOf = (said: string): readonly string[] =>
  said
    .split('\n')
    .map((line) => line.replace(/^tar: /, '').slice(0, LONGEST))
    .filter((line) => line !== '' && !line.startsWith('Exiting with failure status'));

const some = (lines: readonly string[]): string => {
  const more = lines.length - SHOWN;
  return `${lines.slice(0, SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
};

/** GNU tar: some files changed while they were read (1), some could not be read (2). The rest is in the archive. */
const CHANGED = 1;
const UNREADABLE = 2;

/** What tar could not do, once its archive was read to the end. */
export type TreeEnd = { readonly problem: string | null; readonly notes: readonly string[] };

const END = 1024;

/**
 * A home directory as an archive, piece by piece; `ended` then hears what is not in it. Throws where the archive itself did
 * not come to its end.
 */
export async function* homeArchive(
  tree: HomeTree,
  ended: (end: TreeEnd) => void,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let tail = Buffer.alloc(0);
  try {
    for await (const piece of throughFilter(archiving(tree), nothing(), signal)) {
      tail = Buffer.concat([tail, piece]).subarray(-END);
      yield piece;
    }
    ended({ problem: null, notes: [] });
  } catch (error) {
    const whole = tail.length === END && tail.every((byte) => byte === 0);
    if (!(error instanceof FilterFailed) || !whole) throw error;
    const lines = linesOf(error.said);
    if (error.exitCode === CHANGED) ended({ problem: null, notes: lines });
    else if (error.exitCode === UNREADABLE)
      ended({ problem: `not all of it could be read: ${some(lines)}`, notes: [] });
    else throw error;
  }
}

/** Bytes that a directory takes on its disk; 0 where nobody can tell. */
export const usedBy = async (home: string): Promise<number> => {
  const { stdout } = await run(['du', '--summarize', '--block-size=1', '--', home]);
  return Number(/^([0-9]{1,15})\t/.exec(stdout)?.[1] ?? 0);
};

/** An archive that some program reads: it may stop before the end, and what authenticates the last piece comes after it. */
const sharing = (content: AsyncIterable<Buffer>, onPiece: (piece: Buffer) => void) => {
  const pieces = content[Symbol.asyncIterator]();
  const next = async (): Promise<Buffer | null> => {
    const step = await pieces.next();
    if (step.done) return null;
    onPiece(step.value);
    return step.value;
  };
  return {
    pieces: async function* () {
      for (let piece = await next(); piece; piece = await next()) yield piece;
    },
    rest: async (): Promise<void> => {
      while (await next());
    },
  };
};

/** Gives an archive to a program and reads it to its very end. Throws what is wrong with either. */
export const throughProgram = async (
  argv: readonly [string, ...string[]],
  content: AsyncIterable<Buffer>,
  onPiece: (piece: Buffer) => void = () => undefined,
  onOutput: (piece: Buffer) => void = () => undefined,
): Promise<void> => {
  const shared = sharing(content, onPiece);
  for await (const piece of throughFilter(argv, shared.pieces())) onOutput(piece);
  await shared.rest();
};

/** Hears the lines of an output as they come. */
const lineByLine = (hear: (line: string) => void) => {
  let rest = '';
  return (piece: Buffer): void => {
    const lines = `${rest}${piece.toString('latin1')}`.split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(hear);
  };
};

/** A home in a backup, read to its end: bytes of its archive, and what tells them. Throws for one that is not whole. */
export const readHome = async (path: string, content: AsyncIterable<Buffer>) => {
  const sha256 = createHash('sha256');
  const digest = contentDigest();
  let size = 0;
  let strange: string | null = null;
  await throughProgram(
    ['tar', '--list', '--absolute-names', '--quoting-style=escape', '--file=-'],
    content,
    (piece) => {
      sha256.update(piece);
      digest.add(size, piece);
      size += piece.length;
    },
    lineByLine((name) => {
      if (name !== path && !name.startsWith(`${path}/`)) strange ??= name;
    }),
  );
  if (strange !== null) throw new Error(`it holds ${JSON.stringify(String(strange).slice(0, 100))} instead`);
  return { size, stored: size, sha256: sha256.digest('hex'), digest: digest.of(size) };
};
