import { readdirSync } from 'node:fs';
import { type Failure, failure } from '../domain/failure.ts';
import { parsePoolName, parseVmName, parseVolumeName } from '../domain/names.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type Arguments, usage } from '../infrastructure/cli/arguments.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import type { Wishes } from '../infrastructure/restore/plan-vm.ts';
import type { Service } from '../infrastructure/service/service.ts';

/** `OLD=NEW` pairs; both sides are checked, and each OLD may be given once. */
const pairs = (
  given: readonly string[],
  check: (left: string, right: string) => Result<unknown, Failure>,
): Result<ReadonlyMap<string, string>, Failure> => {
  const all = new Map<string, string>();
  for (const text of given) {
    const [left = '', right = '', ...more] = text.split('=');
    if (more.length > 0 || left === '' || right === '' || all.has(left))
      return err(usage(`${JSON.stringify(text)} is no pair NAME=NAME, or comes twice`, 'backup restore'));
    const checked = check(left, right);
    if (!checked.ok) return checked;
    all.set(left, right);
  }
  return ok(all);
};

/** The versions that lie in the host's linux-kernel pools. */
const kernelsOf = (service: Service): readonly string[] | null => {
  const dirs = [...currentHost(service.ledger).pools.values()].flatMap((pool) =>
    pool.driver === 'linux-kernel' ? [pool.dir] : [],
  );
  try {
    return dirs.flatMap((dir) => readdirSync(dir));
  } catch {
    return [];
  }
};

/** The options of a restore, checked against the host. */
export const wishesOf = (args: Arguments, service: Service): Result<Wishes, Failure> => {
  const renames = pairs(args.list('rename'), (_old, name) => parseVmName(name));
  if (!renames.ok) return renames;
  const pools = pairs(args.list('volume-pool'), (volume, pool) => {
    const checked = parseVolumeName(volume);
    return checked.ok ? parsePoolName(pool) : checked;
  });
  if (!pools.ok) return pools;
  const pool = args.text('pool') ?? null;
  const host = currentHost(service.ledger);
  const missing = [...pools.value.values(), ...(pool === null ? [] : [pool])].find(
    (name) => !host.pools.has(name as never),
  );
  if (missing !== undefined)
    return err(failure('D_NOT_FOUND', `there is no pool ${missing}`, { next: 'domtrail pool list' }));
  return ok({
    renames: renames.value,
    pool,
    pools: Object.fromEntries(pools.value),
    kernels: kernelsOf(service),
  });
};
