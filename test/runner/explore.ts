import type { Command } from '../../domain/decide.ts';
import type { Recorded } from '../../domain/event.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { watchFrom } from '../../domain/invariants/watch.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { brokenInvariants } from '../../infrastructure/drivers/lvm-model/invariants.ts';
import { EXTENT } from '../../infrastructure/drivers/lvm-model/state.ts';
import { lvNameOf } from '../../infrastructure/drivers/lvm-thin/names.ts';
import * as to from '../domain/commands.ts';
import { type Choice, commandFor, IMPORT_BYTES, IMPORTS } from './choices.ts';
import { hintsFor, type Met } from './hints.ts';
import { type Contents, guestWrites, observe } from './observe.ts';
import { contentsIn, type Hints, type Oracle, written } from './oracle.ts';
import { newWorld, type World } from './world.ts';

/** A world and what it should hold. */
export type Scene = { readonly world: World; readonly oracle: Oracle };

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

type Seen = Readonly<Record<string, Contents>>;
type Backs = (wanted: readonly string[], seen: readonly string[], key: string) => boolean;

const sameContents = (wanted: Seen, seen: Seen, backs: Backs = sameList): boolean =>
  sameList(Object.keys(wanted).sort(), Object.keys(seen).sort()) &&
  Object.entries(wanted).every(([key, { cur, snap, backs: expected }]) => {
    const one = seen[key];
    return one !== undefined && one.cur === cur && one.snap === snap && backs(expected, one.backs, key);
  });

/** Every disk the log expects is at its place, and every disk of ours is expected: no loss, no leak. */
const ledgerProblems = ({ host, models }: World): readonly string[] => {
  const expected = new Map<string, string>();
  for (const volume of [...host.vms.values()].flatMap(volumesOf)) {
    for (const { disk, role } of disksOf(volume)) expected.set(disk.id, lvNameOf(volume.spec.vid, role));
  }
  for (const { disk, place } of host.trash.values()) expected.set(disk.id, lvNameOf(place.vid, place.role));
  const problems: string[] = [];
  for (const state of models.map((model) => model.state())) {
    problems.push(...brokenInvariants(state));
    for (const lv of state.lvs.values()) {
      const name = `${state.volumeGroup}/${lv.name}`;
      const wanted = expected.get(lv.uuid);
      if (wanted !== undefined && wanted !== name) problems.push(`${wanted} is called ${name}`);
      if (wanted === undefined && lv.tags.includes('domtrail')) problems.push(`${name} is a leak`);
      expected.delete(lv.uuid);
    }
  }
  return [...problems, ...[...expected.values()].map((name) => `${name} is gone`)];
};

const isSubsequence = (few: readonly string[], many: readonly string[]): boolean => {
  let at = 0;
  for (const one of many) if (one === few[at]) at++;
  return at === few.length;
};

/** Between two states that differ only in revisions that retention was about to take: at least `least`, at most `most`. */
const betweenPrunings = (seen: Seen, least: Oracle, most: Oracle): boolean => {
  const many = contentsIn(most);
  const between: Backs = (few, backs, key) => isSubsequence(few, backs) && isSubsequence(backs, many[key]?.backs ?? []);
  return sameContents(contentsIn(least), seen, between);
};

export type Allowed = {
  readonly states: readonly Oracle[];
  /** the last of the states with every revision that its retention takes: allowed where tidying may have failed */
  readonly most?: Oracle | undefined;
  readonly foreign: readonly string[];
};

/** What the watch over the log finds, be it after a crash and a recovery. It reads the whole log, so only some are read. */
const brokenIn = (log: readonly Recorded[]): readonly string[] => {
  const watch = watchFrom(INVARIANTS);
  const breaches = [...log.flatMap(watch.follow), ...watch.end()];
  return breaches.map(
    ({ invariant, object, says, recorded }) => `${invariant}: ${object}: ${says} (ev:${recorded.position})`,
  );
};

/** Which of the allowed states a world is in (null: in none, but between prunings), or everything that is wrong with it. */
export const examine = (world: World, { states, most, foreign }: Allowed): Oracle | null => {
  const seen = observe(world);
  const problems = [...ledgerProblems(world), ...(world.log.length % 16 === 0 ? brokenIn(world.log) : [])];
  const found = states.find((oracle) => sameContents(contentsIn(oracle), seen.volumes)) ?? null;
  const least = states.at(-1);
  if (!found && !(most && least && betweenPrunings(seen.volumes, least, most))) {
    const wanted = states.map((oracle) => JSON.stringify(contentsIn(oracle))).join('\n  or\n  ');
    problems.push(`contents are\n  ${JSON.stringify(seen.volumes)}\n  not\n  ${wanted}`);
  }
  if (!sameList(seen.foreign, foreign)) problems.push(`foreign disks are ${seen.foreign.join(', ')}`);
  if (world.host.operations.size > 0) problems.push('an operation is still open');
  const trashed = new Set([...world.host.trash.values()].map(({ place }) => lvNameOf(place.vid, place.role)));
  const unknown = seen.stray.filter((name) => !trashed.has(name));
  problems.push(...unknown.map((name) => `${name} is left over`));
  if (problems.length > 0) throw new Error(problems.join('\n  '));
  return found;
};

/** What a command meets in a world. */
export const metIn = ({ host, model }: World): Met => ({
  host,
  bytesOf: (lv) => {
    const disk = model.find(lv);
    return disk && disk.extents * EXTENT;
  },
});

/** The command a choice means, made right for this world's files. */
export const commandIn = (world: World, choice: Choice): Command | null => {
  const command = commandFor(choice, world.host);
  if (command?.name !== 'ImportVolume' || command.payload.from.kind !== 'file') return command;
  const { path, bytes } = command.payload.from;
  const stamp = world.files.get(path)?.stamp ?? '';
  return { ...command, payload: { ...command.payload, from: { kind: 'file', path, bytes, stamp } } };
};

/** Every running VM writes something new to each of its disks. */
export const guestsWrite = ({ world, oracle }: Scene, text: string): Oracle => {
  let now = oracle;
  for (const [vm, { running, volumes }] of Object.entries(oracle.vms)) {
    if (!running) continue;
    for (const [name, { rw }] of Object.entries(volumes)) {
      if (!rw) continue;
      guestWrites(world, `${vm}:${name}`, `${text} ${vm}:${name}`.slice(0, 32));
      now = written(now, `${vm}:${name}`, `${text} ${vm}:${name}`.slice(0, 32));
    }
  }
  return now;
};

const SETTING_UP: readonly Command[] = [
  to.init(to.lvmPool('lvm')),
  to.templateVm('fedora'),
  to.appVm('work', { template: 'fedora' }),
  to.appVm('dvm', { template: 'fedora' }),
  to.setProperty('dvm', 'template_for_dispvms', 'True'),
  to.addVolume('work:data', { revisionsToKeep: 2 }),
  to.dispVm('disp1', { template: 'dvm' }),
];

/** A template, two AppVMs, an extra volume, a disposable, and disks of somebody else right between ours. */
export const openingScene = async (
  after: (oracle: Oracle, command: Command, hints: Hints) => Oracle,
): Promise<Scene> => {
  const world = newWorld();
  for (const path of IMPORTS) world.files.put(path, IMPORT_BYTES, [{ offset: 0, text: `file ${path}` }]);
  for (const name of ['vm-other-private', 'vm-work-private-9-back', 'swap']) {
    world.model.create(name, 2 ** 26);
    world.model.writeAt(name, 0, `foreign ${name}`);
  }
  let oracle: Oracle = { vms: {}, keep: 1 };
  for (const command of SETTING_UP) {
    await world.does(command);
    oracle = after(oracle, command, hintsFor(metIn(world), command));
  }
  return { world, oracle };
};
