import { readText } from '../../infrastructure/drivers/lvm-model/content.ts';
import type { Lv, State } from '../../infrastructure/drivers/lvm-model/state.ts';
import type { World } from './world.ts';

/** What a person with lvs and dd sees of a volume: by stock's names, without asking the log. Null: there is no such LV. */
export type Contents = {
  readonly cur: string | null;
  readonly snap: string | null;
  /** oldest first, as stock orders them: by the number in the name */
  readonly backs: readonly string[];
};

export type Observation = {
  readonly volumes: Readonly<Record<string, Contents>>;
  /** LVs that no tool but ours knows what to do with: incoming, import, trash */
  readonly stray: readonly string[];
  /** LVs without our tag: name, UUID and content */
  readonly foreign: readonly string[];
};

/** Content markers are written at offset 0; a disk nobody wrote to, or that was discarded, reads as the empty text. */
const contentOf = (state: State, { thinId }: Lv): string => {
  const chunks = state.kernel.devices.get(thinId);
  return chunks?.has(0) ? readText(chunks, 0, 32).replace(/\0+$/, '') : '';
};

const NAME = /^vm-([a-z0-9]+)-([a-z]+)(?:-(snap)|-(\d+)-back)?$/;

const NOTHING: Contents = { cur: null, snap: null, backs: [] };

export const observe = ({ models }: World): Observation => {
  const volumes: Record<string, Contents> = {};
  const stray: string[] = [];
  const foreign: string[] = [];
  for (const model of models) {
    const state = model.state();
    const numbered = Array.from(state.lvs.values(), (lv) => ({ lv, parts: NAME.exec(lv.name) }));
    numbered.sort((a, b) => Number(a.parts?.[4] ?? 0) - Number(b.parts?.[4] ?? 0));
    for (const { lv, parts } of numbered) {
      const content = contentOf(state, lv);
      if (!lv.tags.includes('domtrail')) {
        foreign.push(`${lv.name} ${lv.uuid} ${content}`);
        continue;
      }
      const [, vm, volume, snap, back] = parts ?? [];
      if (!vm || !volume) {
        stray.push(`${state.volumeGroup}/${lv.name}`);
        continue;
      }
      const key = `${vm}:${volume}`;
      const before = volumes[key] ?? NOTHING;
      if (back) volumes[key] = { ...before, backs: [...before.backs, content] };
      else volumes[key] = snap ? { ...before, snap: content } : { ...before, cur: content };
    }
  }
  return { volumes, stray, foreign };
};

/** What a running VM writes: to its session, or to the disk itself where it has none. */
export const guestWrites = (world: World, key: string, text: string): void => {
  const [vm, volume] = key.split(':');
  for (const model of world.models) {
    const name = [`vm-${vm}-${volume}-snap`, `vm-${vm}-${volume}`].find((one) => model.find(one));
    if (!name) continue;
    const written = model.writeAt(name, 0, text.padEnd(32, '\0'));
    if (!written.ok) throw new Error(`${name}: ${written.error.is}`);
    return;
  }
  throw new Error(`${key} has no disk to write to`);
};
