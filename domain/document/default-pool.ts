import type { Host } from '../host/host.ts';
import type { PoolName } from '../names.ts';

const STOCK_DIR = '/var/lib/qubes';

/** Stock's choice where none is set, as far as it follows from the document: it would also look where `/` lies. */
const fallback = (host: Host): string | null => {
  if (host.pools.has('default' as PoolName)) return 'default';
  for (const pool of host.pools.values()) {
    if ((pool.driver === 'file' || pool.driver === 'file-reflink') && pool.dir === STOCK_DIR) return pool.name;
  }
  return null;
};

const WITH_DEFAULTS: ReadonlySet<string> = new Set(['root', 'private', 'volatile', 'kernel']);

/** The pool of a volume that names none: stock has a default for the four volumes of every VM and for no other. */
export const globalPool = (host: Host, volume: string): string | null => {
  if (!WITH_DEFAULTS.has(volume)) return null;
  const properties = host.site?.properties ?? {};
  return properties[`default_pool_${volume}`] ?? properties['default_pool'] ?? fallback(host);
};
