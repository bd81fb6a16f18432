import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { out } from './output.ts';

/** How a told command is expected to end: with an exit code, or killed on the way. */
type Expected = number | 'killed';

export type Teller = {
  /** a heading in the reader's words */
  readonly say: (text: string) => void;
  /** runs a command of domtrail as the reader would, and shows both */
  readonly run: (argv: readonly string[], expected?: Expected, fault?: string) => void;
  /** writes what a VM would write to its private disk */
  readonly write: (text: string) => void;
  /** shows the beginning of a disk */
  readonly read: (file: string) => void;
  readonly list: () => void;
  readonly problem: () => Failure | null;
};

const quoted = (word: string): string =>
  /^[A-Za-z0-9@%+=:,./_-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Tells a story by running the real executable on real files under `home`. */
export const tellerAt = (home: string, executable: string): Teller => {
  const folder = join(home, 'pools/default/appvms/work');
  let problem: Failure | null = null;
  const prompt = (text: string): void => out(`\n$ ${text}\n`);
  return {
    say: (text) => out(`\n# ${text}\n`),
    run: (argv, expected = 0, fault) => {
      prompt(`${fault ? `DOMTRAIL_FAULT=${fault} ` : ''}domtrail ${argv.map(quoted).join(' ')}`);
      const env = { ...process.env, DOMTRAIL_HOME: home, DOMTRAIL_FAULT: fault ?? '' };
      const ended = spawnSync(process.execPath, [executable, ...argv], { env, encoding: 'utf8' });
      out(ended.stdout + ended.stderr);
      if (ended.signal === 'SIGKILL') out('Killed\n');
      const right = expected === 'killed' ? ended.signal === 'SIGKILL' : ended.status === expected;
      if (!right)
        problem ??= failure(
          'D_STEP_FAILED',
          `domtrail ${argv.join(' ')} ended with ${ended.signal ?? ended.status}, expected ${expected}`,
        );
    },
    write: (text) => {
      const file = join(folder, 'private-dirty.img');
      prompt(`printf ${quoted(text)} | dd of=${file} conv=notrunc status=none     # what the VM writes`);
      const handle = openSync(file, 'r+');
      writeSync(handle, text);
      closeSync(handle);
    },
    read: (name) => {
      const file = join(folder, name);
      prompt(`head -c 22 ${file}`);
      const bytes = Buffer.alloc(22);
      const handle = openSync(file, 'r');
      readSync(handle, bytes, 0, bytes.length, 0);
      closeSync(handle);
      out(`${bytes.toString('utf8').replaceAll('\0', '')}\n`);
    },
    list: () => {
      prompt(`ls ${folder}`);
      out(`${readdirSync(folder).sort().join('\n')}\n`);
    },
    problem: () => problem,
  };
};

const beginning = (tell: Teller): void => {
  tell.say('A template and a VM. Nothing here needs root, LVM or Xen: the disks are plain files.');
  tell.run(['init']);
  tell.run(['vm', 'create', 'debian', '--class', 'TemplateVM']);
  tell.run(['vm', 'create', 'work', '--class', 'AppVM', '--template', 'debian', '--label', 'blue']);
  tell.say('A start snapshots what is kept. The VM writes to the snapshot, a stop commits it.');
  tell.run(['vm', 'start', 'work']);
  tell.write('monday: first draft   ');
  tell.run(['vm', 'stop', 'work', '-m', 'end of monday']);
};

const crash = (tell: Teller): void => {
  tell.say('The next day the process is killed in the middle of the commit, between the two renames.');
  tell.run(['vm', 'start', 'work']);
  tell.write('tuesday: second draft ');
  tell.run(['vm', 'stop', 'work', '--plan'], 2);
  tell.run(['vm', 'stop', 'work', '-m', 'end of tuesday'], 'killed', 'kill@after-step:3');
  tell.say('There is no private.img now. The log knows why, and what is left to do.');
  tell.list();
  tell.run(['status']);
  tell.run(['recover']);
  tell.read('private.img');
};

const trail = (tell: Teller): void => {
  tell.say('The audit trail: who did what, to which disk, and where the data came from.');
  tell.run(['log', 'work:private']);
  tell.run(['blame', 'work:private']);
  tell.run(['lineage', 'work:private']);
  tell.run(['volume', 'info', 'work:private']);
};

const firewall = (tell: Teller): void => {
  tell.say('A firewall: rules of work, published to the QubesDB of its netvm, where an agent makes nftables of them.');
  tell.run(['vm', 'create', 'sys-net', '--class', 'AppVM', '--template', 'debian', '--label', 'red']);
  tell.run(['vm', 'prefs', 'sys-net', 'provides_network', 'True']);
  tell.run(['vm', 'prefs', 'work', 'netvm', 'sys-net']);
  tell.run(['vm', 'start', 'sys-net']);
  tell.run(['vm', 'start', 'work']);
  tell.run(['firewall', 'set', 'work', 'action=accept dsthost=example.com proto=tcp dstports=443', 'action=drop']);
  tell.run(['firewall', 'entries', 'work']);
};

const proof = (tell: Teller): void => {
  tell.say('qubes.xml, which stock programs read, is made from the same log.');
  tell.run(['xml']);
  tell.say('And the log proves itself: the chain, the projections, the storage, the decisions.');
  tell.run(['verify']);
  tell.run(['fsck']);
  tell.run(['replay']);
};

/** The life of a volume with a crash in it; fails when anything ends otherwise than told. */
export const tellStory = (tell: Teller): Result<null, Failure> => {
  beginning(tell);
  crash(tell);
  trail(tell);
  firewall(tell);
  proof(tell);
  const problem = tell.problem();
  return problem ? err(problem) : ok(null);
};
