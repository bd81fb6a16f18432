import type { Archive } from '../../domain/backup/archive.ts';
import type { Disk, DiskRef } from '../../domain/disk.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type ContentSource, type Deed, resolve } from '../../domain/steps.ts';
import type { BoundDeed, BoundSource, OpenContent } from '../drivers/driver.port.ts';
import type { Pools } from './pools.ts';

/** An opened backup: gives the content of one of its files, by the file's name. */
export type Backup = (file: string) => OpenContent;

export type DomainDeed = Extract<Deed, { do: 'startDomain' | 'stopDomain' }>;
/** Deeds about no disk, for a keeper's hands. */
export type KeptDeed = Extract<Deed, { do: 'writeFirewall' | 'publishFirewall' | 'writeKeys' | 'deliver' }>;
export type DiskDeed = Exclude<Deed, DomainDeed | KeptDeed | Archive>;

export const isDomainDeed = (deed: Deed): deed is DomainDeed => deed.do === 'startDomain' || deed.do === 'stopDomain';

export const isKeptDeed = (deed: Deed): deed is KeptDeed =>
  deed.do === 'writeFirewall' || deed.do === 'publishFirewall' || deed.do === 'writeKeys' || deed.do === 'deliver';

/** The pool whose driver carries a deed out. */
export const poolOf = (deed: DiskDeed): string => (deed.do === 'move' ? deed.from.pool : deed.at.pool);

type Binding = {
  readonly made: ReadonlyMap<number, Disk>;
  readonly pools: Pools;
  readonly stdin: 'here' | 'gone';
  readonly backup: Backup | null;
};

const idOf = (ref: DiskRef, { made }: Binding) => {
  const id = resolve(ref, made);
  if (!id)
    throw new Error(`a step needs the disk of step ${'madeBy' in ref ? ref.madeBy : '?'}, which is not recorded`);
  return id;
};

/** Another pool's disk is read through its path; it must be active for that. */
const fromDisk = async (
  source: Extract<ContentSource, { kind: 'disk' }>,
  binding: Binding,
): Promise<Result<BoundSource, Failure>> => {
  const pool = binding.pools.get(source.at.pool);
  if (!pool.ok) return pool;
  const { driver, looks } = pool.value;
  const look = await looks.now();
  if (!look.ok) return look;
  const id = idOf(source.disk, binding);
  const seen = look.value.byId.get(id);
  if (!seen || seen.name !== driver.nameOf(source.at)) {
    return err(
      failure('D_DRIFT', `the disk to copy (${driver.nameOf(source.at)}, ${id}) is not where the log left it`),
    );
  }
  if (!seen.active) {
    const deed = { do: 'activate', disk: id, at: source.at } as const;
    const acted = await looks.during(() => driver.act({ command: 'activate', step: 0, deed }));
    if (acted.failure) return err(acted.failure);
  }
  return ok({ kind: 'file', path: driver.pathOf(source.at), bytes: seen.bytes, stamp: null });
};

const bindSource = async (
  deed: Extract<DiskDeed, { do: 'fill' }>,
  binding: Binding,
): Promise<Result<BoundSource, Failure>> => {
  const { from } = deed;
  switch (from.kind) {
    case 'file':
      return ok({ kind: 'file', path: from.path, bytes: from.bytes, stamp: from.stamp });
    case 'disk':
      return fromDisk(from, binding);
    case 'backup': {
      if (binding.backup === null || binding.stdin === 'gone') {
        const message = `the data came from ${from.backup}, which has to be opened with its passphrase: restore it again`;
        return err(failure('D_INPUT_CHANGED', message));
      }
      return ok({ kind: 'stream', bytes: from.bytes, open: binding.backup(from.file) });
    }
    case 'stdin': {
      if (binding.stdin === 'gone') {
        return err(failure('D_INPUT_CHANGED', 'the data came from standard input, which is gone: import it again'));
      }
      const disk = 'madeBy' in deed.disk ? binding.made.get(deed.disk.madeBy) : undefined;
      return ok({ kind: 'stdin', limit: disk?.bytes ?? 0 });
    }
  }
};

/** A deed with every disk known by id. Fails only where the content to fill in cannot be had any more. */
export const bindDeed = async (deed: DiskDeed, binding: Binding): Promise<Result<BoundDeed, Failure>> => {
  switch (deed.do) {
    case 'create':
      return ok(deed);
    case 'snapshot':
      return ok({ do: 'snapshot', of: idOf(deed.of, binding), from: deed.from, at: deed.at });
    case 'fill': {
      const from = await bindSource(deed, binding);
      return from.ok ? ok({ do: 'fill', disk: idOf(deed.disk, binding), at: deed.at, from: from.value }) : from;
    }
    default:
      return ok({ ...deed, disk: idOf(deed.disk, binding) });
  }
};
