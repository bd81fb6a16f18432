import { closeSync, createReadStream, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { main as fsck } from '../../../bin/commands/fsck.ts';
import { main as init } from '../../../bin/commands/init.ts';
import { main as recover } from '../../../bin/commands/recover.ts';
import { main as verify } from '../../../bin/commands/verify.ts';
import { main as vm } from '../../../bin/commands/vm.ts';
import { main as volume } from '../../../bin/commands/volume.ts';

/*
 * The command line as a server inside the lab machine, where starting node takes longer than most commands: a JSON line
 * on the port is one command, answered when it has returned. What it prints goes where the process's output goes.
 */

const ADDON = join(__dirname, '../../node_modules/better-sqlite3/build/Release/better_sqlite3.node');

type Asked =
  | { readonly id: number; readonly do: 'command'; readonly words: readonly string[] }
  /** as a VM writes: `mark` fills the first sector of the device, and has reached the disk when this is answered */
  | { readonly id: number; readonly do: 'write'; readonly device: string; readonly mark: string }
  /** a file to import: as long as asked, with `mark` in its first sector, on the disk when this is answered */
  | { readonly id: number; readonly do: 'file'; readonly path: string; readonly bytes: number; readonly mark: string }
  /** without the product's code: is the database whole, and are the commands with these ids in it? */
  | { readonly id: number; readonly do: 'audit'; readonly file: string; readonly ids: readonly string[] }
  /** the host comes up again, as far as the product can tell */
  | { readonly id: number; readonly do: 'boot'; readonly bootId: string };

const MAINS: Readonly<Record<string, (argv: readonly string[]) => Promise<number>>> = {
  fsck,
  init,
  recover,
  verify,
  vm,
  volume,
};

const sectorOf = (mark: string): Buffer => Buffer.alloc(512, `${mark} `);

const write = (device: string, mark: string): void => {
  const fd = openSync(device, 'r+');
  writeSync(fd, sectorOf(mark), 0, 512, 0);
  fsyncSync(fd);
  closeSync(fd);
};

const makeFile = (path: string, bytes: number, mark: string): void => {
  const fd = openSync(path, 'w');
  writeSync(fd, sectorOf(mark), 0, 512, 0);
  ftruncateSync(fd, bytes);
  fsyncSync(fd);
  closeSync(fd);
};

const audit = (file: string, ids: readonly string[]): void => {
  const sql = new Database(file, { readonly: true, nativeBinding: ADDON });
  try {
    const said = sql.pragma('integrity_check', { simple: true });
    if (said !== 'ok') throw new Error(`integrity_check: ${String(said)}`);
    const find = sql.prepare('SELECT count(*) FROM commands WHERE id = ?').pluck();
    const lost = ids.filter((id) => find.get(id) !== 1);
    if (lost.length > 0) throw new Error(`acknowledged commands that are not in the log: ${lost.join(', ')}`);
  } finally {
    sql.close();
  }
};

const carryOut = async (asked: Asked): Promise<number> => {
  switch (asked.do) {
    case 'command': {
      const [name = '', ...rest] = asked.words;
      const main = MAINS[name];
      if (!main) throw new Error(`there is no command ${name}`);
      return main(rest);
    }
    case 'write':
      write(asked.device, asked.mark);
      return 0;
    case 'file':
      makeFile(asked.path, asked.bytes, asked.mark);
      return 0;
    case 'audit':
      audit(asked.file, asked.ids);
      return 0;
    case 'boot':
      process.env['DOMTRAIL_BOOT_ID'] = asked.bootId;
      return 0;
  }
};

const serve = async (port: string): Promise<void> => {
  const answers = openSync(port, 'r+');
  const say = (answer: object): void => {
    writeSync(answers, `${JSON.stringify(answer)}\n`);
  };
  say({ ready: true });
  for await (const line of createInterface({ input: createReadStream('', { fd: answers, autoClose: false }) })) {
    const asked = JSON.parse(line) as Asked;
    try {
      say({ id: asked.id, code: await carryOut(asked) });
    } catch (error) {
      say({ id: asked.id, code: -1, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
};

serve(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
