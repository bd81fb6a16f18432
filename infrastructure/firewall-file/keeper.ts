import { hash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { link, lstat, open, readFile, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Evidence } from '../../domain/command/events.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Deed } from '../../domain/steps.ts';
import type { Acted } from '../drivers/driver.port.ts';
import { makeDirectory } from '../drivers/file-reflink/durable.ts';
import { sync } from '../drivers/sync.ts';
import { errorCode, failureOf } from '../drivers/system-failure.ts';
import { firewallXml } from '../firewall-xml/write.ts';
import type { Keeper } from '../runner/keeper.port.ts';

type WriteFirewall = Extract<Deed, { do: 'writeFirewall' }>;

/** What lies at the path: nothing, or a regular file's text. */
type There = { readonly text: string | null };

/** Ten thousand of the longest rules; what is larger is not ours. */
const LARGEST = 64 * 2 ** 20;

const statsAt = async (path: string): Promise<Stats | null> => {
  try {
    return await lstat(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return null;
    throw error;
  }
};

/** The way on stands in the message, because the record of a failed step has nothing else. */
const drift = (path: string, what: string): Result<never, Failure> =>
  err(
    failure(
      'D_DRIFT',
      `${path} ${what}; it was left alone. This puts it aside: domtrail firewall reload ${basename(dirname(path))}`,
    ),
  );

/** The way from the home to the file leads through real directories only: a symlink could lead out of the home. */
const strayOn = async (home: string, path: string): Promise<string | null> => {
  for (const dir of [dirname(dirname(path)), dirname(path)]) {
    const stats = await statsAt(join(home, dir));
    if (!stats) return null;
    if (!stats.isDirectory()) return dir;
  }
  return null;
};

const read = async (home: string, path: string): Promise<Result<There, Failure>> => {
  const stray = await strayOn(home, path);
  if (stray !== null) return err(failure('D_DRIFT', `${join(home, stray)} is not a directory`));
  const full = join(home, path);
  const stats = await statsAt(full);
  if (!stats) return ok({ text: null });
  if (!stats.isFile()) return err(failure('D_DRIFT', `${full} is not a file`));
  return ok({ text: stats.size > LARGEST ? '' : await readFile(full, 'utf8') });
};

/** The text that lies at a firewall.xml's path below the home, null for none. D_DRIFT for what is no file. */
export const filedText = async (home: string, path: string): Promise<Result<string | null, Failure>> => {
  const there = await read(home, path);
  return there.ok ? ok(there.value.text) : there;
};

const textOf = (lines: WriteFirewall['before']): string | null => (lines === null ? null : firewallXml(lines));

const syncWhatIsThere = async (directory: string): Promise<void> => {
  if (await statsAt(directory)) await sync(directory);
};

const look = async (home: string, deed: WriteFirewall): Promise<Result<'done' | 'ready', Failure>> => {
  const mayLeave = deed.over === 'oursElseLeave';
  const there = await read(home, deed.path);
  if (!there.ok) return mayLeave ? ok('done') : there;
  const { text } = there.value;
  if (text === textOf(deed.after)) {
    // Perhaps we were killed right after the rename: only now does it survive a power cut.
    await syncWhatIsThere(dirname(join(home, deed.path)));
    return ok('done');
  }
  if (deed.over === 'anything' || text === textOf(deed.before)) return ok('ready');
  if (mayLeave) return ok('done');
  const what = text === null ? 'is gone' : deed.before === null ? 'is there already' : 'was changed by somebody else';
  return drift(join(home, deed.path), what);
};

/** Named after its content, so that a second try after a crash keeps the same file once. */
const keepAside = async (path: string, text: string): Promise<void> => {
  try {
    await link(path, `${path}.foreign-${hash('sha256', text).slice(0, 8)}`);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
};

/** As stock's replace_file: a temporary beside it, mode 0664, flushed, renamed over it, and the directory flushed (spec: B.1). */
const replace = async (path: string, text: string): Promise<void> => {
  // The same content has the same temporary, so that one left by a crash is used up when the step is done again.
  const temporary = `${path}~${hash('sha256', text).slice(0, 8)}`;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const file = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(text);
    await file.chmod(0o664);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await sync(dirname(path));
};

/** Takes the file away, and the VM's directory when nothing else is in it. */
const remove = async (path: string): Promise<void> => {
  await unlink(path);
  await sync(dirname(path));
  try {
    await rmdir(dirname(path));
    await sync(dirname(dirname(path)));
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  }
};

const carryOut = async (home: string, deed: WriteFirewall): Promise<Failure | null> => {
  const path = join(home, deed.path);
  const there = await read(home, deed.path);
  if (!there.ok) return there.error;
  const { text } = there.value;
  const isOurs = text === null || text === textOf(deed.before);
  if (!isOurs && deed.over !== 'anything') return failure('D_DRIFT', `${path} was changed by somebody else just now`);
  if (!isOurs) await keepAside(path, text);
  const after = textOf(deed.after);
  if (after !== null) {
    await makeDirectory(dirname(path));
    await replace(path, after);
  } else if (text !== null) await remove(path);
  return null;
};

const evidenceSince = (started: number): Evidence => ({
  argv: [],
  exitCode: null,
  stderr: '',
  durationMs: Math.round(performance.now() - started),
});

const act = async (home: string, deed: WriteFirewall): Promise<Acted> => {
  const started = performance.now();
  const known = await carryOut(home, deed).catch((error: unknown) =>
    failureOf(error, `${join(home, deed.path)} cannot be written`),
  );
  return { evidence: evidenceSince(started), failure: known };
};

/**
 * Keeps the firewall.xml of every VM below a home. A file that is neither as the log left it nor as it is to become is
 * D_DRIFT, unless the deed leaves it (then that is all there is to do), or may go over anything: then it stays beside, as
 * `firewall.xml.foreign-XXXXXXXX`.
 */
export const firewallFiles = (home: string): Keeper<WriteFirewall> => ({
  look: async (deed) => {
    try {
      return await look(home, deed);
    } catch (error) {
      return err(failureOf(error, `${join(home, deed.path)} cannot be read`));
    }
  },
  act: (deed) => act(home, deed),
});
