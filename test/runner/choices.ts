import fc from 'fast-check';
import type { Command } from '../../domain/decide.ts';
import type { Host } from '../../domain/host/host.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import * as to from '../domain/commands.ts';

/** One draw of the dice: which kind of command, and on what. Means something in every state. */
export type Choice = { readonly kind: number; readonly a: number; readonly b: number; readonly c: number };

const die = fc.nat({ max: 9999 });
export const choices = (maxLength: number, minLength = maxLength): fc.Arbitrary<readonly Choice[]> =>
  fc.array(fc.record({ kind: die, a: die, b: die, c: die }), { minLength, maxLength, size: 'max' });

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

const EXTENT = 4 * 2 ** 20;
/** Also sizes that LVM rounds up. */
const SIZES = [64, 65, 66, 96, 127, 3000, 12_001].map((mebibytes) => mebibytes * 2 ** 20);
export const IMPORTS = ['/images/one', '/images/two', '/images/three'] as const;
export const IMPORT_BYTES = 16 * EXTENT;
const FRESH = ['work', 'mail', 'extra', 'spare'];

type Dice = Choice & { readonly host: Host; readonly volume: Volume; readonly vm: string };
type Kind = (dice: Dice) => Command;

const newVm = ({ a, b, host }: Dice): Command => {
  const name = pick(FRESH, a) as string;
  const dvm = [...host.vms.values()].find((vm) => vm.properties['template_for_dispvms'] === 'True');
  if (b % 4 === 0 && dvm) return to.dispVm(`disp${a % 3}`, { template: dvm.name });
  if (b % 4 === 1) return to.standaloneVm(name);
  return to.appVm(name, { template: 'fedora' });
};

const newVolume = ({ a, b, c, vm }: Dice): Command => {
  const key = `${vm}:${pick(['data', 'cache', 'base'], a)}`;
  if (b % 3 === 0) return to.addVolume(key, { saveOnStop: false, snapOnStart: true, source: 'fedora:root' });
  if (b % 3 === 1) return to.addVolume(key, { saveOnStop: false });
  return to.addVolume(key, { revisionsToKeep: (c % 4) - 1 });
};

const revisionOf = ({ volume, b }: Dice): string => pick(volume.revisions, b)?.id ?? 'none';

/** Kinds of commands by weight: what happens often on a real host happens often here. */
const KINDS: readonly (readonly [number, Kind])[] = [
  [10, ({ vm }) => to.start(vm)],
  [8, ({ vm }) => to.stop(vm)],
  [2, ({ vm }) => to.stopDiscarding(vm)],
  [1, ({ vm }) => to.kill(vm)],
  [3, ({ volume }) => to.commit(volume.spec.key)],
  [2, ({ volume }) => to.discard(volume.spec.key)],
  [3, (dice) => to.revert(dice.volume.spec.key, dice.c % 2 ? revisionOf(dice) : null)],
  [3, ({ volume, b }) => to.resize(volume.spec.key, pick(SIZES, b) as number, b % 2 === 0)],
  [2, ({ volume, b }) => to.importFile(volume.spec.key, pick(IMPORTS, b), IMPORT_BYTES, '')],
  [1, ({ volume }) => to.exportTo(volume.spec.key)],
  [
    2,
    ({ volume, host, b }) =>
      to.cloneVolume(pick([...host.vms.values()].flatMap(volumesOf), b)?.spec.key ?? '', volume.spec.key),
  ],
  [2, newVm],
  [1, ({ vm, a }) => to.cloneVm(vm, pick(FRESH, a) as string)],
  [2, ({ vm }) => to.removeVm(vm)],
  [2, newVolume],
  [1, ({ volume }) => to.removeVolume(volume.spec.key)],
  [2, ({ volume, b }) => to.keep(volume.spec.key, (b % 5) - 1)],
  [1, ({ volume, b }) => to.setVolume(volume.spec.key, { rw: b % 3 > 0 })],
  [2, (dice) => to.pin(dice.volume.spec.key, revisionOf(dice))],
  [1, (dice) => to.unpin(dice.volume.spec.key, revisionOf(dice))],
];

const WEIGHTED: readonly Kind[] = KINDS.flatMap(([weight, kind]) => Array.from({ length: weight }, () => kind));

/** The command that a choice means in a state; null where it means nothing. Many are refused, as on a real host. */
export const commandFor = (choice: Choice, host: Host): Command | null => {
  const vms = [...host.vms.values()].filter((vm) => vm.class !== 'AdminVM');
  const vm = pick(vms, choice.a);
  const volumes = vm ? volumesOf(vm).filter(({ spec }) => spec.name !== 'kernel') : [];
  // Volumes that are kept are where things can be lost: choose among all, then once more among those.
  const kept = volumes.filter(({ spec }) => spec.saveOnStop);
  const volume = pick(choice.c % 4 > 0 && kept.length > 0 ? kept : volumes, choice.b >> 2);
  const kind = pick(WEIGHTED, choice.kind);
  return vm && volume && kind ? kind({ ...choice, host, volume, vm: vm.name }) : null;
};
