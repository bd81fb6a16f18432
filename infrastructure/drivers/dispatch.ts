import type { BoundDeed } from './driver.port.ts';

export type DeedOf<D extends BoundDeed['do']> = Extract<BoundDeed, { readonly do: D }>;

/** One pair of hands for each deed; `W` is what they work with. */
export type DeedHands<W, R> = { readonly [D in BoundDeed['do']]: (work: W, deed: DeedOf<D>) => R };

/** Hands a deed to the hands made for it. */
export const dispatch = <W, R>(hands: DeedHands<W, R>, work: W, deed: BoundDeed): R => {
  switch (deed.do) {
    case 'create':
      return hands.create(work, deed);
    case 'snapshot':
      return hands.snapshot(work, deed);
    case 'move':
      return hands.move(work, deed);
    case 'resize':
      return hands.resize(work, deed);
    case 'activate':
      return hands.activate(work, deed);
    case 'fill':
      return hands.fill(work, deed);
    case 'read':
      return hands.read(work, deed);
    case 'erase':
      return hands.erase(work, deed);
  }
};
