import { afterEach, beforeEach, describe } from 'vitest';
import { type Fault, parseFault } from '../../infrastructure/fault.ts';
import * as to from '../domain/commands.ts';
import { Crash } from '../runner/world.ts';
import type { Hands } from './hands.ts';
import { type Lv, type LvmHost, lvmHost } from './lvm-host.ts';

export type HostOf = () => LvmHost;
export type Suite = (host: HostOf) => void;

/** Runs suites on a fresh host for each test, on whatever machine `hands` gives. */
export const onHosts = (name: string, hands: () => Promise<Hands>, suites: Readonly<Record<string, Suite>>): void => {
  describe(name, () => {
    let current: LvmHost | null = null;
    beforeEach(async () => {
      current = await lvmHost(await hands());
    });
    afterEach(async () => {
      await current?.cleanup();
      current = null;
    });
    for (const [title, suite] of Object.entries(suites)) {
      describe(title, () => {
        suite(() => {
          if (!current) throw new Error('the host is not set up');
          return current;
        });
      });
    }
  });
};

export const MIB = 2 ** 20;
export const EXTENT = 4 * MIB;

/** A template and an AppVM that starts from it, both halted. */
export const withWork = async (host: LvmHost): Promise<void> => {
  await host.does(to.templateVm('fedora'), to.appVm('work', { template: 'fedora' }));
};

/**
 * A VM that has one volume worth looking at, `box:private`, and needs no template. Its root volume makes no snapshots,
 * which spares the lab half of its time.
 */
export const withBox = (host: LvmHost): Promise<void> => host.does(to.standaloneVm('box'), to.keep('box:root', -1));

/** The VM runs, writes `text` at the beginning of its volume, and is stopped. */
export const session = async (host: LvmHost, key: string, text: string): Promise<void> => {
  const [vm = ''] = key.split(':');
  await host.does(to.start(vm));
  await host.vmWrites(key, text);
  await host.does(to.stop(vm));
};

/** The LVs of a volume's revisions as LVM has them, oldest first. */
export const backsOf = async (host: LvmHost, key: string): Promise<readonly Lv[]> => {
  const stem = `vm-${key.replace(':', '-')}-`;
  const backs = (await host.lvs()).filter(
    ({ name }) => name.startsWith(stem) && /^\d+-back$/.test(name.slice(stem.length)),
  );
  return [...backs].sort((a, b) => Number(/(\d+)-back$/.exec(a.name)?.[1]) - Number(/(\d+)-back$/.exec(b.name)?.[1]));
};

export const uuids = (lvs: readonly Lv[]): readonly string[] => lvs.map(({ uuid }) => uuid);

/** The first bytes of a volume's committed disk; zeros as dots. */
export const committed = async (host: LvmHost, key: string, length = 5, offset = 0): Promise<string> =>
  (await host.read(host.info(key).committedPath, length, offset)).replaceAll('\0', '.');

/** The first bytes of what the running VM sees. */
export const running = async (host: LvmHost, key: string, length = 5, offset = 0): Promise<string> =>
  (await host.read(host.info(key).runtimePath, length, offset)).replaceAll('\0', '.');

/** Contents of the revisions, oldest first. */
export const kept = async (host: LvmHost, key: string): Promise<readonly string[]> => {
  const contents: string[] = [];
  for (const { name } of await backsOf(host, key)) contents.push(await contentOf(host, name));
  return contents;
};

export const contentOf = async (host: LvmHost, lv: string, length = 5): Promise<string> =>
  (await host.read(`/dev/mapper/qubes_dom0-${lv.replaceAll('-', '--')}`, length)).replaceAll('\0', '.');

/** Our process dies at a fault point, named as in DOMTRAIL_FAULT: nothing of it runs on. */
export const dyingAt = (point: string): Fault => {
  const fault = parseFault(`kill@${point}`, () => {
    throw new Crash('after-step');
  });
  if (!fault) throw new Error(`${point} is no fault point`);
  return fault;
};
