import type { Host } from '../host/host.ts';
import { vmProperty } from './property-table.ts';
import type { Vm } from './vm.ts';

/** Who shows a VM, plays its sound and relays its calls: stock's extensions note each in a tag. */
export const KEEPERS = [
  { property: 'guivm', global: 'default_guivm' },
  { property: 'audiovm', global: 'default_audiovm' },
  { property: 'relayvm', global: null },
] as const;

export type Keeper = (typeof KEEPERS)[number];

/** The VM a property leads to, by itself or by its default; null for none. */
export const effective = (vm: Pick<Vm, 'class' | 'properties'>, name: string, fallback: string): string | null => {
  if (vmProperty(vm.class, name) === null) return null;
  return (vm.properties[name] ?? fallback) || null;
};

export const keeperOf = (
  host: Host,
  vm: Pick<Vm, 'class' | 'properties'>,
  { property, global }: Keeper,
): string | null => effective(vm, property, global === null ? '' : (host.site?.properties[global] ?? 'dom0'));

/** The tags of a VM whose keeper is `keeper` now: one of its kind at most. */
export const tagsWithKeeper = (tags: readonly string[], property: string, keeper: string | null): readonly string[] => {
  const tag = keeper === null ? null : `${property}-${keeper}`;
  const left = tags.filter((one) => !one.startsWith(`${property}-`) || one === tag);
  return tag === null || left.includes(tag) ? left : [...left, tag];
};

/** The tags that a new VM of a class gets by itself. */
export const tagsOfNew = (host: Host, vm: Pick<Vm, 'class' | 'properties'>): readonly string[] =>
  KEEPERS.reduce<readonly string[]>(
    (tags, keeper) => tagsWithKeeper(tags, keeper.property, keeperOf(host, vm, keeper)),
    [],
  )
    .slice()
    .sort();
