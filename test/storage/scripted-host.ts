import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../../domain/decide.ts';
import type { DiskId } from '../../domain/disk.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import { lvNameOf } from '../../infrastructure/drivers/lvm-thin/names.ts';
import { stampText } from '../../infrastructure/drivers/stamp.ts';
import * as to from '../domain/commands.ts';
import { type Choice, commandFor, IMPORT_BYTES } from '../runner/choices.ts';
import { hintsFor } from '../runner/hints.ts';
import { after, afterReboot, contentsIn, type Oracle, written } from '../runner/oracle.ts';
import { clock } from './clock.ts';
import type { Lv, LvmHost } from './lvm-host.ts';

const TEMPLATES = ['fedora', 'debian', 'whonix'] as const;
const APPS = Array.from({ length: 20 }, (_, n) => `app${n + 1}`);
const TEXT = 32;

/** 3 templates, 20 AppVMs, of which one is the template of a disposable, and extra volumes. */
export const LARGE_HOST: readonly Command[] = [
  ...TEMPLATES.map((name) => to.templateVm(name)),
  ...APPS.map((name, n) => to.appVm(name, { template: TEMPLATES[n % TEMPLATES.length] as string })),
  to.setProperty('app20', 'template_for_dispvms', 'True'),
  to.dispVm('disp1', { template: 'app20' }),
  to.addVolume('app1:data', { revisionsToKeep: 3 }),
  to.addVolume('app2:cache', { saveOnStop: false }),
  to.addVolume('app3:base', { saveOnStop: false, snapOnStart: true, source: 'debian:root' }),
];

/**
 * A host that lives by the same commands in several places: `hosts[0]` on the model, others on real LVM. What a person
 * expects of it is the oracle's.
 */
export type ScriptedHost = { readonly hosts: readonly LvmHost[]; oracle: Oracle; readonly images: string };

const first = ({ hosts }: ScriptedHost): LvmHost => {
  const [host] = hosts;
  if (!host) throw new Error('a scripted host needs a place to live');
  return host;
};

/** Gives a command everywhere; all must answer the same. True when it went through. */
const everywhere = async (scripted: ScriptedHost, command: Command): Promise<boolean> => {
  const answers: string[] = [];
  for (const host of scripted.hosts) answers.push((await host.refusal(command)) ?? 'done');
  if (new Set(answers).size > 1) throw new Error(`${command.name} ended differently: ${answers.join(', ')}`);
  return answers[0] === 'done';
};

/** What is expected of the host once a command went through. */
export const expectedAfter = async (scripted: ScriptedHost, command: Command): Promise<Oracle> => {
  const lvs = await first(scripted).lvs();
  const met = { host: first(scripted).host(), bytesOf: (lv: string) => lvs.find(({ name }) => name === lv)?.bytes };
  const hints = hintsFor(met, command);
  return after(scripted.oracle, command, { ...hints, file: hints.file.replace(/^file .*\//, 'image ') });
};

const lives = async (scripted: ScriptedHost, command: Command): Promise<boolean> => {
  const next = await expectedAfter(scripted, command).catch(() => null);
  const went = await everywhere(scripted, command);
  if (went && next) scripted.oracle = next;
  return went;
};

/** A command that must go through in all places. */
export const mustLive = async (scripted: ScriptedHost, command: Command): Promise<void> => {
  if (!(await lives(scripted, command))) throw new Error(`${command.name} was refused`);
};

/** The path is the same in all places, so that all decide the same. */
export const imageAt = async ({ images }: ScriptedHost, name: string): Promise<object> => {
  const path = join(images, name);
  await writeFile(path, `image ${name}`);
  await truncate(path, IMPORT_BYTES);
  return { kind: 'file', path, bytes: IMPORT_BYTES, stamp: stampText(await stat(path, { bigint: true })) };
};

/** A copy out of 10 GiB takes minutes in the lab; extra volumes and the export tests show the same. */
const isTooLong = ({ name, payload }: Command, host: LvmHost): boolean =>
  name === 'ExportVolume' && host.info(`${payload.vm}:${payload.volume}`).size > 2 ** 28;

const commandOf = async (scripted: ScriptedHost, choice: Choice): Promise<Command | null> => {
  const command = commandFor(choice, first(scripted).host());
  if (!command || isTooLong(command, first(scripted))) return null;
  if (command.name !== 'ImportVolume' || command.payload.from.kind !== 'file') return command;
  const from = await imageAt(scripted, command.payload.from.path.replace(/^.*\//, ''));
  return { ...command, payload: { ...command.payload, from } } as Command;
};

/** One running VM writes something new to each of its disks. */
const someGuestWrites = async (scripted: ScriptedHost, choice: Choice, text: string): Promise<void> => {
  const running = Object.entries(scripted.oracle.vms).filter(([, machine]) => machine.running);
  const [vm, machine] = running[choice.b % Math.max(1, running.length)] ?? [];
  if (!vm || !machine) return;
  for (const [name, { rw }] of Object.entries(machine.volumes)) {
    if (!rw) continue;
    const key = `${vm}:${name}`;
    const content = `${text} ${key}`.slice(0, TEXT);
    for (const host of scripted.hosts) await host.vmWrites(key, content.padEnd(TEXT, '\0'));
    scripted.oracle = written(scripted.oracle, key, content);
  }
};

export const settleIn = async (hosts: readonly LvmHost[], commands: readonly Command[]): Promise<ScriptedHost> => {
  const images = await mkdtemp(join(tmpdir(), 'domtrail-images-'));
  const scripted: ScriptedHost = { hosts, oracle: { vms: {}, keep: 1 }, images };
  for (const command of commands) await mustLive(scripted, command);
  return scripted;
};

export const leave = ({ images }: ScriptedHost): Promise<void> => rm(images, { recursive: true });

/** The clock stands still, jumps and is set back, for all places alike. */
const tick = (choice: Choice): void => {
  clock.set(Date.now() + ([0, 400, 1000, 5000, -90_000][choice.c % 5] ?? 0));
};

/** One turn of the host's life; gives the command that went through, null when none did. */
export const turn = async (scripted: ScriptedHost, choice: Choice, index: number): Promise<Command | null> => {
  tick(choice);
  if (choice.c % 47 === 0) {
    for (const host of scripted.hosts) {
      await host.reboots();
      await host.recover();
    }
    scripted.oracle = afterReboot(scripted.oracle);
  }
  await someGuestWrites(scripted, choice, `t${index}`);
  const command = await commandOf(scripted, choice);
  return command && (await lives(scripted, command)) ? command : null;
};

type Row = Omit<Lv, 'uuid' | 'origin' | 'active'> & { readonly origin: string | null };

/** Without UUIDs, which differ from place to place: an origin by its name. */
const rowsOf = (lvs: readonly Lv[]): readonly Row[] => {
  const names = new Map(lvs.map(({ uuid, name }) => [uuid, name]));
  const rows = lvs.map(({ name, bytes, origin, tags }) => ({
    name,
    bytes,
    tags: [...tags].sort(),
    origin: origin === null ? null : (names.get(origin) ?? '(gone)'),
  }));
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** Where log and LVs differ: UUID, name, size, and what a session was made from. */
const differencesIn = (host: LvmHost, lvs: readonly Lv[]): readonly string[] => {
  const problems: string[] = [];
  const left = new Map(lvs.map((lv) => [lv.uuid, lv]));
  const there = new Set(left.keys());
  const expect = (id: string, bytes: number, name: string, origin?: string | null): void => {
    const lv = left.get(id);
    left.delete(id);
    const seen = lv && `qubes_dom0/${lv.name} ${lv.bytes}`;
    if (seen !== `${name} ${bytes}`) problems.push(`the log has ${id} as ${name} ${bytes}, LVM as ${seen}`);
    else if (origin && there.has(origin) && lv?.origin !== origin) problems.push(`${name} comes from ${lv?.origin}`);
  };
  for (const volume of [...host.host().vms.values()].flatMap(volumesOf)) {
    const { situation } = volume;
    const session = situation.is === 'running' || situation.is === 'dirty' ? situation.session : null;
    for (const { disk, role } of disksOf(volume)) {
      const { vid } = placeOf(volume, role);
      expect(disk.id, disk.bytes, lvNameOf(vid, role), session?.disk.id === disk.id ? session.origin : null);
    }
  }
  for (const { disk, place } of host.host().trash.values())
    expect(disk.id, disk.bytes, lvNameOf(place.vid, place.role));
  return [...problems, ...[...left.values()].map(({ name }) => `${name} is in no record`)];
};

const contentAt = async (host: LvmHost, path: string): Promise<string> =>
  (await host.read(path, TEXT)).replace(/\0+$/, '');

const NAME = /^vm-([a-z0-9]+)-([a-z]+)(?:-(snap)|-(\d+)-back)?$/;

/** Contents as somebody with lvs and dd sees them, in the oracle's form. */
const contentsOf = async (host: LvmHost, lvs: readonly Lv[]): Promise<unknown> => {
  const seen: Record<string, { cur: string | null; snap: string | null; backs: string[] }> = {};
  // What was removed waits in the trash, where the log is held against it.
  const removed = new Set(
    [...host.host().trash.values()].filter(({ why }) => why === 'removed').map(({ disk }) => disk.id),
  );
  const parts = lvs
    .filter(({ uuid }) => !removed.has(uuid as DiskId))
    .map(({ name }) => ({ name, match: NAME.exec(name) }));
  parts.sort((a, b) => Number(a.match?.[4] ?? 0) - Number(b.match?.[4] ?? 0));
  for (const { name, match } of parts) {
    const [, vm, volume, snap, back] = match ?? [];
    const key = vm ? `${vm}:${volume}` : name;
    seen[key] ??= { cur: null, snap: null, backs: [] };
    const text = await contentAt(host, `/dev/mapper/qubes_dom0-${name.replaceAll('-', '--')}`);
    if (back) seen[key].backs.push(text);
    else seen[key][snap ? 'snap' : 'cur'] = text;
  }
  return sorted(seen);
};

export type Examined = {
  readonly fsck: readonly string[];
  readonly log: readonly string[];
  readonly contents: unknown;
};

const sorted = <T>(byName: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(byName).sort(([a], [b]) => (a < b ? -1 : 1)));

/** One place looked at in every way: fsck, log against lvs, and contents. */
export const examined = async (host: LvmHost): Promise<Examined & { readonly rows: readonly Row[] }> => {
  const lvs = await host.lvs();
  const fsck = await host.problems();
  return { fsck, log: differencesIn(host, lvs), contents: await contentsOf(host, lvs), rows: rowsOf(lvs) };
};

export const expectedIn = (oracle: Oracle): unknown => sorted(contentsIn(oracle));
