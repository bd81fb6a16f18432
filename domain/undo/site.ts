import { holdName } from '../holds.ts';
import type { Pool } from '../pool/pool.ts';
import type { Wanted } from './wanted.ts';
import { hold, type WayBack } from './way-back.ts';

/** The object that stands for what concerns the whole host, as `diff` and `--only` have it. */
export const GLOBAL = 'global';

const SITE = 'global properties';

const propertiesBack = ({ host, builder }: WayBack, past: Readonly<Record<string, string>>): void => {
  const now = host.site?.properties ?? {};
  for (const name of new Set([...Object.keys(now), ...Object.keys(past)])) {
    const [before = null, value = null] = [now[name], past[name]];
    if (before !== value) builder.fact({ type: 'GlobalPropertySet', name, value, before });
  }
};

/** Global properties and labels as they were. */
export const siteBack = (way: WayBack, { site }: Wanted): void => {
  const now = way.host.site;
  if (!site || !now) return;
  const before = way.builder.size();
  propertiesBack(way, site.properties);
  const same = (a: (typeof now.labels)[number]) => (b: typeof a) => a.name === b.name && a.color === b.color;
  for (const label of now.labels) {
    if (!site.labels.some(same(label))) way.builder.fact({ type: 'LabelRemoved', label });
  }
  for (const label of site.labels) {
    if (!now.labels.some(same(label))) way.builder.fact({ type: 'LabelCreated', label });
  }
  if (way.builder.size() > before) hold(way, holdName(SITE));
};

const reserveOf = (pool: Pool) => (pool.driver === 'linux-kernel' ? null : (pool.reserve ?? null));

/** Pools as they were: which there are, and the reserve of each. */
export const poolsBack = (way: WayBack, { pools }: Wanted): void => {
  for (const { pool: name, definition: pool } of pools) {
    const now = way.host.pools.get(name);
    if (!now && pool) way.builder.fact({ type: 'PoolAdded', pool: name, definition: pool });
    else if (now && !pool) way.builder.fact({ type: 'PoolRemoved', pool: name });
    else if (now && pool) {
      const [reserve, before] = [reserveOf(pool), reserveOf(now)];
      if (JSON.stringify(reserve) !== JSON.stringify(before)) {
        way.builder.fact({ type: 'PoolReserveSet', pool: name, reserve, before });
      } else way.lost.push(`pool ${name} lies elsewhere now, and stays there`);
    }
    hold(way, holdName(`pool ${name}`));
  }
};
