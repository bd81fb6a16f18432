import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './places.ts';

const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'domtrail-lab');
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';
const MEMORY = 640;
/** A machine that neither answers nor ends is a failed test, not a long one. */
const PATIENCE_MS = 240_000;
/** About one boot in two hundred hangs before anything looks at the disk: it is begun again. */
const BOOT_MS = 90_000;
const BOOTS = 3;

type Ran = { readonly code: number; readonly out: string; readonly err: string };
type Answer = { readonly code: number; readonly error?: string };

/** A running guest that takes orders. Every order rejects with `Gone` when the guest dies before it has answered. */
export type Machine = {
  /** A shell script, to its end. */
  readonly run: (script: string) => Promise<Ran>;
  /** Starts the worker, and once it is ready sends it orders one at a time. */
  readonly startWorker: (program: string) => Promise<void>;
  readonly work: (order: object) => Promise<Answer>;
  /** SIGKILL, as sudden as it gets. */
  readonly kill: () => Promise<void>;
  readonly console: () => string;
};

export class Gone extends Error {}

const cpuKhz = (): string => {
  const mhz = /cpu MHz\s*:\s*([0-9.]+)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  // Without this the guest measures its clock against timers that microvm does not have, and sometimes spins for ever.
  return mhz ? `tsc_early_khz=${Math.floor(Number(mhz) * 1000)}` : '';
};

const port = (name: string, chardev: string): readonly string[] => [
  '-chardev',
  `${chardev},id=${name}`,
  '-device',
  `virtserialport,chardev=${name},name=${name}`,
];

const qemuWords = (dir: string, disk: string): readonly string[] =>
  [
    ['-M', 'microvm,accel=tcg,pcie=on', '-cpu', 'max', '-m', `${MEMORY}`],
    ['-object', `memory-backend-memfd,id=m,size=${MEMORY}M,share=on`, '-numa', 'node,memdev=m'],
    ['-kernel', join(CACHE, 'vmlinux'), '-initrd', join(CACHE, 'initrd.cpio'), '-append'],
    [
      `console=ttyS0 quiet panic=-1 nokaslr mitigations=off ${cpuKhz()} domtrail.lab=1 domtrail.shell=0`,
      `domtrail.start=${ROOT}/test/lab/guest/start.sh domtrail.argv=${dir}/argv domtrail.cwd=${ROOT}`,
    ].join(' '),
    ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', `file:${dir}/console`],
    ['-chardev', `socket,id=fs,path=${dir}/fs`, '-device', 'vhost-user-fs-pci,chardev=fs,tag=root'],
    ['-drive', `if=none,id=pool,file=${disk},format=raw,cache=writeback,discard=unmap`],
    ['-device', 'virtio-blk-pci,drive=pool,serial=domtrail-lab', '-device', 'virtio-serial-pci'],
    ['code', 'out', 'err'].flatMap((name) => port(name, `file,path=${dir}/${name}`)),
    ['agent', 'work'].flatMap((name) => port(name, `socket,path=${dir}/${name},server=on,wait=off`)),
  ].flat();

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const until = async (path: string, alive: () => boolean): Promise<void> => {
  for (let left = 500; !existsSync(path); left--) {
    if (left === 0 || !alive()) throw new Gone(`${path} never came`);
    await pause(20);
  }
};

/** Lines from a socket, one at a time, to whoever waits; the end of the machine ends the waiting. */
const linesOf = (socket: Socket, gone: Promise<never>) => {
  const lines: string[] = [];
  let wake: () => void = () => undefined;
  let rest = '';
  socket.on('error', () => undefined);
  socket.on('data', (data: Buffer) => {
    const parts = (rest + data.toString('utf8')).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  return async (): Promise<string> => {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) return line;
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([more, gone]);
    }
  };
};

class Late extends Error {}

const within = async <T>(what: string, promise: Promise<T>, ms = PATIENCE_MS): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`${what}: no answer for ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

const agentOf = (socket: Socket, gone: Promise<never>) => {
  const next = linesOf(socket, gone);
  let count = 0;
  return {
    ready: () => next(),
    run: async (script: string): Promise<Ran> => {
      socket.write(`${++count} ${Buffer.from(script).toString('base64')}\n`);
      const [, code, out = '', err = ''] = (await within(script, next())).split(' ');
      const text = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
      return { code: Number(code), out: text(out), err: text(err) };
    },
  };
};

type Started = { readonly qemu: ChildProcess; readonly server: ChildProcess; readonly dir: string };

const boot = async (disk: string): Promise<Started> => {
  const dir = mkdtempSync(join(tmpdir(), 'domtrail-lab-'));
  writeFileSync(
    join(dir, 'argv'),
    ['/bin/bash', `${ROOT}/test/lab/guest/agent.sh`].map((word) => `${word}\0`).join(''),
  );
  const words = ['-o', 'source=/', '-o', 'cache=always', '-o', 'sandbox=chroot', '-o', 'no_posix_lock'];
  const log = openSync(join(dir, 'log'), 'w');
  const output = { stdio: ['ignore' as const, log, log] };
  const server = spawn(VIRTIOFSD, [`--socket-path=${dir}/fs`, ...words, '--thread-pool-size=1'], output);
  await until(join(dir, 'fs'), () => server.exitCode === null);
  const qemu = spawn('qemu-system-x86_64', [...qemuWords(dir, disk)], output);
  closeSync(log);
  return { qemu, server, dir };
};

/** Boots a guest on a disk: an image's path, or `nbd:unix:SOCKET`. Everything of it is gone after `kill`. */
export const startMachine = async (disk: string): Promise<Machine> => {
  for (let left = BOOTS - 1; ; left--) {
    try {
      return await startOnce(disk);
    } catch (error) {
      if (!(error instanceof Late) || left === 0) throw error;
    }
  }
};

const startOnce = async (disk: string): Promise<Machine> => {
  const { qemu, server, dir } = await boot(disk);
  const killNow = (): void => {
    qemu.kill('SIGKILL');
    server.kill('SIGKILL');
  };
  process.once('exit', killNow);
  const ended = new Promise<void>((resolve) => qemu.once('close', () => resolve()));
  const gone = ended.then((): never => {
    throw new Gone('the machine is gone');
  });
  gone.catch(() => undefined);
  const sockets: Socket[] = [];
  const open = async (name: string): Promise<Socket> => {
    await until(join(dir, name), () => qemu.exitCode === null);
    const socket = connect(join(dir, name));
    sockets.push(socket);
    return socket;
  };
  const console = (): string =>
    ['console', 'log', 'err']
      .map((file) => (existsSync(join(dir, file)) ? readFileSync(join(dir, file), 'utf8') : ''))
      .join('');
  const kill = async (): Promise<void> => {
    qemu.kill('SIGKILL');
    await ended;
    for (const socket of sockets) socket.destroy();
    server.kill('SIGKILL');
    process.off('exit', killNow);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const agent = agentOf(await open('agent'), gone);
    const worker = await open('work');
    const answer = linesOf(worker, gone);
    await within('the boot', agent.ready(), BOOT_MS);
    let count = 0;
    return {
      run: agent.run,
      startWorker: async (program) => {
        await agent.run(`node --jitless ${program} "$WORK" >>/run/work.log 2>&1 3>&- &`);
        await within('the worker', answer());
      },
      work: async (order) => {
        worker.write(`${JSON.stringify({ id: ++count, ...order })}\n`);
        return JSON.parse(await within(JSON.stringify(order), answer())) as Answer;
      },
      kill,
      console,
    };
  } catch (error) {
    const said = console();
    await kill();
    const Kind = error instanceof Late ? Late : Error;
    throw new Kind(`the lab machine did not come up: ${String(error)}\n${said.slice(-2000)}`);
  }
};

/** A copy that shares nothing and keeps holes. */
export const copyImage = (from: string, to: string): void => {
  execFileSync('cp', ['--sparse=always', '--reflink=auto', from, to]);
};
