import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { VolumeDriver } from '../drivers/driver.port.ts';
import { type Look, lookOf } from './judge.ts';

/** The latest look at one pool, taken again only after something changed there. */
export type Looks = {
  readonly now: () => Promise<Result<Look, Failure>>;
  /** What was seen so far no longer counts. */
  readonly changed: () => void;
};

/**
 * One survey serves every step until one of them acts. A survey that was under way when another step acted may have
 * missed that act, so each belongs to the generation it started in.
 */
export const looksAt = (driver: VolumeDriver): Looks => {
  let generation = 0;
  let held: { readonly generation: number; readonly look: Promise<Result<Look, Failure>> } | null = null;
  const take = async (): Promise<Result<Look, Failure>> => {
    const seen = await driver.survey();
    return seen.ok ? ok(lookOf(seen.value)) : seen;
  };
  return {
    now: () => {
      if (held?.generation !== generation) held = { generation, look: take() };
      return held.look;
    },
    changed: () => {
      generation++;
    },
  };
};
