import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { VolumeDriver } from '../drivers/driver.port.ts';
import { type Look, lookOf } from './judge.ts';

/** The latest look at one pool, taken again only after something changed there. */
export type Looks = {
  readonly now: () => Promise<Result<Look, Failure>>;
  /** Runs something that changes the pool: what was seen before it no longer counts afterwards. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
};

/**
 * One survey serves every step until one of them acts, and steps that act side by side share the one after: it waits for
 * those still under way, so a start of three volumes costs two surveys, not four. A survey that was under way when a step
 * acted may have missed that act, so each belongs to the generation it started in.
 */
export const looksAt = (driver: VolumeDriver): Looks => {
  let generation = 0;
  let acting = 0;
  let quiet: Promise<void> = Promise.resolve();
  let falls: () => void = () => undefined;
  let held: { readonly generation: number; readonly look: Promise<Result<Look, Failure>> } | null = null;
  const take = async (): Promise<Result<Look, Failure>> => {
    const seen = await driver.survey();
    return seen.ok ? ok(lookOf(seen.value)) : seen;
  };
  return {
    now: async () => {
      while (held?.generation !== generation && acting > 0) await quiet;
      if (held?.generation !== generation) held = { generation, look: take() };
      return held.look;
    },
    during: async (work) => {
      if (acting++ === 0) {
        quiet = new Promise((resolve) => {
          falls = resolve;
        });
      }
      try {
        return await work();
      } finally {
        generation++;
        if (--acting === 0) falls();
      }
    },
  };
};
