import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECTIONS, driverFor as realDriverFor } from '../../bin/compose.ts';
import type { Command } from '../../domain/decide.ts';
import type { Code } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { VmName } from '../../domain/names.ts';
import { parseVolumeKey } from '../../domain/names.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { findVolume } from '../../domain/volume/find.ts';
import { volumeItem } from '../../infrastructure/cli/views.ts';
import type { VolumeDriver } from '../../infrastructure/drivers/driver.port.ts';
import { lvmThinDriver } from '../../infrastructure/drivers/lvm-thin/driver.ts';
import type { Run } from '../../infrastructure/drivers/lvm-thin/work.ts';
import { stampText } from '../../infrastructure/drivers/stamp.ts';
import { type Fault, NO_FAULT } from '../../infrastructure/fault.ts';
import { noHypervisor } from '../../infrastructure/hypervisor/none.ts';
import type { Actor } from '../../infrastructure/ledger/accept.ts';
import { foldTo } from '../../infrastructure/ledger/fold.ts';
import { acquireLeaseWithin, releaseLease } from '../../infrastructure/ledger/lease.ts';
import { closeLedger, type Ledger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { thisProcess } from '../../infrastructure/ledger/process-identity.ts';
import { catchUp } from '../../infrastructure/ledger/projections.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import { qubesDbAt } from '../../infrastructure/qubesdb/choose.ts';
import type { Recovered } from '../../infrastructure/runner/recover.ts';
import { type Offered, storageDrift } from '../../infrastructure/service/drift.ts';
import { checkHost } from '../../infrastructure/service/fsck.ts';
import { type Home, homeAt } from '../../infrastructure/service/home.ts';
import { publishQubesXml } from '../../infrastructure/service/publish.ts';
import { recoverHost } from '../../infrastructure/service/recover.ts';
import { type Service, serviceOf } from '../../infrastructure/service/service.ts';
import { type Submitted, submit } from '../../infrastructure/service/submit.ts';
import { qubesXml } from '../../projections/qubes-xml/qubes-xml.ts';
import * as to from '../domain/commands.ts';
import { readFileAt } from '../drivers/source-file.ts';
import type { Hands } from './hands.ts';

/** An LV as `lvs` shows it; names without the volume group. */
export type Lv = {
  readonly uuid: string;
  readonly name: string;
  readonly bytes: number;
  /** UUID of the LV it is a snapshot of, as long as that exists */
  readonly origin: string | null;
  readonly active: boolean;
  readonly tags: readonly string[];
};

const GROUP = 'qubes_dom0';
const LVS = 'lvm lvs --reportformat json --units b --nosuffix -o lv_uuid,lv_name,lv_size,origin_uuid,lv_attr,lv_tags';

const TESTER: Actor = { user: 'tester', uid: 0, loginUid: null, tty: null, tool: 'test', argv: [], source: null };

const words = (line: string): readonly [string, ...string[]] => line.split(' ') as [string, ...string[]];

const insist = <T>(result: { ok: true; value: T } | { ok: false; error: { code: string; message: string } }): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
};

/** What every part of a host needs to know of it. `boot` and `run` may be exchanged under way. */
type Parts = {
  readonly hands: Hands;
  readonly home: Home;
  ledger: Ledger;
  boot: number;
  commands: number;
  run: Run;
  asks: Asks;
};

/** Who gives the commands from now on, and why. */
type Asks = { readonly actor: Actor; readonly reason: string | null };

const driverOf =
  (parts: Parts) =>
  (pool: Pool): VolumeDriver =>
    pool.driver === 'lvm_thin'
      ? lvmThinDriver(pool, {
          run: (argv, options) => parts.run(argv, options),
          uid: 0,
          stdin: 0,
          stdout: 1,
          patienceMs: 0,
          flush: parts.hands.flush,
        })
      : realDriverFor(pool);

/** A new service is as a new process: it has seen nothing yet. */
const serviceAt = (parts: Parts, fault: Fault): Service => {
  process.env['DOMTRAIL_BOOT_ID'] = `boot-${parts.boot}`;
  const { home, ledger } = parts;
  return serviceOf({
    home,
    ledger,
    driverFor: driverOf(parts),
    hypervisor: noHypervisor,
    qubesDb: qubesDbAt(home.qubesDb),
    fault,
    publish: () => publishQubesXml(ledger, home, qubesXml),
    stateAt: (position) => foldTo(ledger, position),
    progress: () => () => undefined,
    waitMs: 0,
  });
};

const openAt = (home: Home, mode: 'create' | 'write'): Ledger => {
  const ledger = insist(openLedger(home.ledger, mode, PROJECTIONS));
  insist(catchUp(ledger));
  return ledger;
};

/** Gives a command as another process would; `id` null for one that nobody chose. */
const give = (parts: Parts, command: Command, fault: Fault): Promise<Submitted> =>
  submit(serviceAt(parts, fault), {
    command,
    id: `c${++parts.commands}`,
    ...parts.asks,
  }).then(insist);

const lvsOf = async ({ hands }: Parts): Promise<readonly Lv[]> => {
  const { stdout, evidence } = await hands.run(words(`${LVS} -- ${GROUP}`));
  if (evidence.exitCode !== 0) throw new Error(evidence.stderr);
  const rows = (JSON.parse(stdout) as { report: [{ lv: Record<string, string>[] }] }).report[0].lv;
  return rows
    .filter(({ lv_attr }) => lv_attr?.startsWith('V'))
    .map((row) => ({
      uuid: row['lv_uuid'] ?? '',
      name: row['lv_name'] ?? '',
      bytes: Number(row['lv_size']),
      origin: row['origin_uuid'] || null,
      active: row['lv_attr']?.[4] === 'a',
      tags: (row['lv_tags'] ?? '').split(',').filter(Boolean),
    }));
};

const problemsOf = async (parts: Parts): Promise<readonly string[]> => {
  const findings = await checkHost(currentHost(parts.ledger), driverOf(parts));
  return findings.flatMap(({ object, problem }) => (problem === null ? [] : [`${object}: ${problem}`]));
};

const recoverNow = async (parts: Parts, fault: Fault): Promise<readonly Recovered[]> => {
  const service = serviceAt(parts, fault);
  insist(await acquireLeaseWithin(parts.ledger, thisProcess(), 'recover', 0));
  try {
    const { recovered } = insist(
      await recoverHost(service, { fault, failedToo: true, backupsToo: true, rewrites: false }),
    );
    insist(service.publish());
    return recovered;
  } finally {
    releaseLease(parts.ledger);
  }
};

const ended = async (parts: Parts, command: Command, fault: Fault): Promise<Submitted> => {
  const submitted = await give(parts, command, fault);
  const { failure } = submitted;
  if (failure) throw new Error(`${command.name}: ${failure.code} ${failure.message} ${failure.cause ?? ''}`);
  return submitted;
};

const infoOf = (parts: Parts, key: string) => {
  const host = currentHost(parts.ledger);
  const { vm, volume } = insist(parseVolumeKey(key));
  const found = insist(findVolume(host, vm, volume));
  return volumeItem(host, found.vm, found.volume, driverOf(parts));
};

export type VolumeInfo = ReturnType<typeof infoOf>;

const looking = (parts: Parts) => ({
  host: (): Host => currentHost(parts.ledger),
  vm: (name: string) => currentHost(parts.ledger).vms.get(name as VmName),
  /** what `volume info --json` shows */
  info: (key: string): VolumeInfo => infoOf(parts, key),
  lvs: () => lvsOf(parts),
  /** The LV of that name; throws when there is none. */
  lv: async (name: string): Promise<Lv> => {
    const all = await lvsOf(parts);
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`there is no ${name}, only ${all.map((one) => one.name).join(', ')}`);
    return found;
  },
  /** without what was removed, which waits in the trash for `gc` */
  names: async (): Promise<readonly string[]> => {
    const removed = [...currentHost(parts.ledger).trash.values()].filter(({ why }) => why === 'removed');
    const waiting = new Set<string>(removed.map(({ disk }) => disk.id));
    return (await lvsOf(parts))
      .filter(({ uuid }) => !waiting.has(uuid))
      .map(({ name }) => name)
      .sort();
  },
  ledger: (): Ledger => parts.ledger,
  /** what `drift` lists */
  drift: (): Promise<readonly Offered[]> => storageDrift(currentHost(parts.ledger), driverOf(parts)),
  /** what `fsck` complains about */
  problems: () => problemsOf(parts),
  read: (path: string | null, length: number, offset = 0): Promise<string> => {
    if (path === null) throw new Error('there is no disk to read');
    return path.startsWith('/dev/') ? parts.hands.readAt(path, offset, length) : readFileAt(path, offset, length);
  },
  driver: (name: string): VolumeDriver => {
    const pool = [...currentHost(parts.ledger).pools.values()].find((one) => one.name === name);
    if (!pool) throw new Error(`there is no pool ${name}`);
    return driverOf(parts)(pool);
  },
});

const acting = (parts: Parts) => ({
  /** Another person gives the commands from now on. */
  asks: (user: string, reason: string | null = null): void => {
    parts.asks = { actor: { ...TESTER, user, uid: 1000, loginUid: 1000, tool: 'domtrail' }, reason };
  },
  /** Commands that must go through, each as a process of its own. */
  does: async (...given: readonly Command[]): Promise<void> => {
    for (const command of given) await ended(parts, command, NO_FAULT);
  },
  /** One command however it ends; throws what the fault throws. */
  submit: (command: Command, fault: Fault = NO_FAULT): Promise<Submitted> => give(parts, command, fault),
  /** The code a command is refused with; null when it went through. */
  refusal: async (command: Command): Promise<Code | null> =>
    (await give(parts, command, NO_FAULT)).failure?.code ?? null,
  recover: (fault: Fault = NO_FAULT) => recoverNow(parts, fault),
  /** What a running VM writes to its volume. */
  vmWrites: async (key: string, text: string, offset = 0): Promise<void> => {
    const { runtimePath } = infoOf(parts, key);
    if (runtimePath === null) throw new Error(`${key} is not running`);
    await parts.hands.writeAt(runtimePath, offset, text);
  },
  /** Another program's `lvm WORDS...`; must go through. */
  byHand: async (line: string): Promise<void> => {
    const { evidence } = await parts.hands.run(words(`lvm ${line}`));
    if (evidence.exitCode !== 0) throw new Error(`${line}: ${evidence.stderr}`);
  },
});

const dying = (parts: Parts) => ({
  /** Our process is gone: nothing it had in memory is left. */
  dies: (): void => {
    closeLedger(parts.ledger);
    parts.ledger = openAt(parts.home, 'write');
  },
  /** The host is gone and comes up again, under another boot id. */
  reboots: async (): Promise<void> => {
    parts.boot++;
    closeLedger(parts.ledger);
    await parts.hands.reboot();
    parts.ledger = openAt(parts.home, 'write');
  },
  /** Every program the driver runs goes through this one from now on. */
  runThrough: (wrap: (run: Run) => Run): void => {
    parts.run = wrap(parts.hands.run);
  },
});

/**
 * The product on a thin pool: the service with its ledger, in this process. The pool is called `lvm` and is the default
 * one, with a revision to keep.
 */
export const lvmHost = async (hands: Hands) => {
  const dir = await mkdtemp(join(tmpdir(), 'domtrail-storage-'));
  const home = homeAt(join(dir, 'home'));
  await mkdir(home.dir);
  const parts: Parts = {
    hands,
    home,
    ledger: openAt(home, 'create'),
    boot: 1,
    commands: 0,
    run: hands.run,
    asks: { actor: TESTER, reason: null },
  };
  await ended(parts, to.init(to.lvmPool('lvm')), NO_FAULT);
  let files = 0;
  return {
    home,
    ...looking(parts),
    ...acting(parts),
    ...dying(parts),
    holdOpen: hands.holdOpen,
    /** A file with text at its beginning, and the command that imports it. */
    run: hands.run,
    importOf: async (key: string, text: string, bytes: number): Promise<Command> => {
      const path = join(dir, `image-${++files}`);
      const handle = await open(path, 'w');
      await handle.write(text, 0, 'latin1');
      await handle.truncate(bytes);
      await handle.close();
      return to.importFile(key, path, bytes, stampText(await stat(path, { bigint: true })));
    },
    outFile: (): string => join(dir, `out-${++files}`),
    cleanup: async (): Promise<void> => {
      closeLedger(parts.ledger);
      await hands.cleanup();
      await rm(dir, { recursive: true });
    },
  };
};

export type LvmHost = Awaited<ReturnType<typeof lvmHost>>;
