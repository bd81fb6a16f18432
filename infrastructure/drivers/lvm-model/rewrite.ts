import { err, ok } from '../../../domain/result.ts';
import type { Change } from './change.ts';
import { type Chunks, copyOf, NO_CHUNKS, type Piece, writeText } from './content.ts';
import { capacityOf, chunksOf, usedBlocks, withChunks } from './kernel.ts';
import { EXTENT, lvNamed, type State } from './state.ts';

const freshIds = (state: State) => {
  let blocks = state.blocks;
  return { next: () => ++blocks, used: (after: State): State => ({ ...after, blocks }) };
};

const fits = (state: State): boolean => {
  let most = 0;
  for (const chunks of state.kernel.devices.values()) most += chunks.size;
  return most <= capacityOf(state) || usedBlocks(state) <= capacityOf(state);
};

/** Content of an active LV changed: refused as a whole where the pool has no room for it. */
const rewritten =
  (name: string, change: (old: Chunks, freshId: () => number) => readonly Chunks[]): Change =>
  (state) => {
    const lv = lvNamed(state, name);
    if (!lv) return err({ is: 'missing', name });
    const old = chunksOf(state, lv);
    if (!lv.active || !old) return err({ is: 'no-device', name });
    if (state.broken) return err({ is: 'io-error' });
    if (state.kernel.mode !== 'rw') return err({ is: state.kernel.mode });
    const ids = freshIds(state);
    const versions = change(old, ids.next).map((chunks) => ids.used(withChunks(state, lv, chunks)));
    const last = versions.at(-1) ?? state;
    if (!fits(last)) return err({ is: 'full' });
    return ok(
      versions.map((version, index) => ({ at: index === versions.length - 1 ? 'after' : 'between', state: version })),
    );
  };

/** Text at an offset. Throws beyond the end of the disk: a bug in a test. */
export const writing = (name: string, piece: Piece): Change => {
  const change = rewritten(name, (old, freshId) => [writeText(old, piece, freshId)]);
  return (state) => {
    const lv = lvNamed(state, name);
    const end = (lv?.extents ?? 0) * EXTENT;
    if (lv && piece.offset + piece.text.length > end) throw new Error(`${name} ends at ${end}`);
    return change(state);
  };
};

/** Another content altogether, in chunks of its own; cut off in the middle it is half there. */
export const filling = (name: string, content: Chunks): Change =>
  rewritten(name, (_, freshId) => {
    const whole = copyOf(content, freshId);
    const half = [...whole].slice(0, Math.floor(whole.size / 2));
    return [new Map(half), whole];
  });

/** Gives all chunks back: the disk reads as zeros. */
export const discarded = (name: string): Change => rewritten(name, () => [NO_CHUNKS]);
