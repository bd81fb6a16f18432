import type { Command } from '../../domain/decide.ts';
import type { Contents } from './observe.ts';

type Kind = 'origin' | 'snapshot' | 'volatile';
type Back = { readonly text: string; readonly pinned: boolean };
type Expected = {
  readonly kind: Kind;
  readonly source: string | null;
  readonly keep: number;
  readonly rw: boolean;
  readonly cur: string | null;
  readonly snap: string | null;
  readonly dirty: boolean;
  readonly backs: readonly Back[];
  /** retention could not be carried out: it only ever tidies up */
  readonly spared?: true;
};
type Machine = { readonly running: boolean; readonly volumes: Readonly<Record<string, Expected>> };

/**
 * What people expect of Qubes storage, in terms of contents only and without disks, plans or events: the second opinion
 * that the explorer compares the world with. Immutable: each change gives another one.
 */
export type Oracle = { readonly vms: Readonly<Record<string, Machine>>; readonly keep: number };

const volume = (kind: Kind, keep: number, source: string | null = null): Expected => ({
  kind,
  source,
  keep,
  rw: true,
  dirty: false,
  backs: [],
  snap: null,
  cur: kind === 'origin' ? '' : null,
});

const prune = ({ spared }: Expected, backs: readonly Back[], keep: number): readonly Back[] => {
  if (spared) return backs;
  const unpinned = backs.filter(({ pinned }) => !pinned);
  const gone = new Set(unpinned.slice(0, Math.max(0, unpinned.length - Math.max(0, keep))));
  return backs.filter((back) => !gone.has(back));
};

/** `text` becomes the committed content, and what was committed the newest revision. */
const replaced = (one: Expected, text: string): Expected => {
  const kept = one.keep > 0 && one.cur !== null ? [...one.backs, { text: one.cur, pinned: false }] : one.backs;
  return { ...one, cur: text, backs: prune(one, kept, one.keep) };
};

const committed = (one: Expected): Expected => ({ ...replaced(one, one.snap ?? ''), snap: null, dirty: false });

const started = (one: Expected, oracle: Oracle): Expected => {
  if (one.dirty) return { ...one, dirty: false };
  if (one.kind === 'volatile') return { ...one, cur: '' };
  if (one.kind === 'snapshot') return { ...one, snap: curOf(oracle, one.source ?? '') };
  return one.keep === -1 ? { ...one, backs: prune(one, one.backs, 0) } : { ...one, snap: one.cur };
};

const stopped = (one: Expected, keeping: boolean): Expected => {
  if (one.kind === 'volatile') return { ...one, cur: null };
  if (one.kind === 'origin' && one.snap !== null && keeping && one.rw) return committed(one);
  return { ...one, snap: null };
};

/** The host dies: what would be kept at stop waits for a decision, what would not is gone. */
const interrupted = (one: Expected): Expected =>
  one.kind === 'origin' && one.snap !== null && one.rw ? { ...one, dirty: true } : stopped(one, false);

const volumeIn = (oracle: Oracle, key: string): Expected => {
  const [vm = '', name = ''] = key.split(':');
  const one = oracle.vms[vm]?.volumes[name];
  if (!one) throw new Error(`the oracle knows no ${key}`);
  return one;
};

const curOf = (oracle: Oracle, key: string): string => volumeIn(oracle, key).cur ?? '';

const withVm = (oracle: Oracle, name: string, machine: Machine | null): Oracle => {
  const { [name]: _old, ...others } = oracle.vms;
  return { ...oracle, vms: machine ? { ...others, [name]: machine } : others };
};

const withVolume = (oracle: Oracle, key: string, change: (one: Expected) => Expected | null): Oracle => {
  const [vm = '', name = ''] = key.split(':');
  const machine = oracle.vms[vm];
  if (!machine) throw new Error(`the oracle knows no ${vm}`);
  const { [name]: old, ...others } = machine.volumes;
  const next = change(old as Expected);
  return withVm(oracle, vm, { ...machine, volumes: next ? { ...others, [name]: next } : others });
};

const eachVolume = (machine: Machine, change: (one: Expected) => Expected): Machine['volumes'] =>
  Object.fromEntries(Object.entries(machine.volumes).map(([name, one]) => [name, change(one)]));

const created = (oracle: Oracle, payload: Extract<Command, { name: 'CreateVM' }>['payload']): Oracle => {
  const { keep } = oracle;
  const template = payload.template ?? '';
  const extras = Object.entries(oracle.vms[template]?.volumes ?? {}).filter(
    ([name]) => !['root', 'private', 'volatile'].includes(name),
  );
  const inherited = Object.fromEntries(extras.map(([name, one]) => [name, volume(one.kind, keep, one.source)]));
  const volatile = volume('volatile', keep);
  const volumes = ((): Record<string, Expected> => {
    switch (payload.class) {
      case 'AppVM':
        return {
          root: volume('snapshot', keep, `${template}:root`),
          private: volume('origin', keep),
          volatile,
          ...inherited,
        };
      case 'DispVM': {
        const root = oracle.vms[template]?.volumes['root']?.source ?? '';
        return {
          root: volume('snapshot', keep, root),
          private: volume('snapshot', keep, `${template}:private`),
          volatile,
          ...inherited,
        };
      }
      default:
        return { root: volume('origin', keep), private: volume('origin', keep), volatile };
    }
  })();
  return withVm(oracle, payload.name, { running: false, volumes });
};

const cloned = (oracle: Oracle, from: string, to: string): Oracle => {
  const source = oracle.vms[from];
  if (!source) throw new Error(`the oracle knows no ${from}`);
  const volumes = eachVolume(source, (one) => ({
    ...one,
    snap: null,
    dirty: false,
    backs: [],
    cur: one.kind === 'origin' ? one.cur : null,
  }));
  return withVm(oracle, to, { running: false, volumes });
};

/** The same, but no revision is ever retired. */
export const sparing = (oracle: Oracle): Oracle => ({
  ...oracle,
  vms: Object.fromEntries(
    Object.entries(oracle.vms).map(([name, machine]) => [
      name,
      { ...machine, volumes: eachVolume(machine, (one) => ({ ...one, spared: true })) },
    ]),
  ),
});

const power = (oracle: Oracle, name: string, running: boolean, change: (one: Expected) => Expected): Oracle => {
  const machine = oracle.vms[name];
  if (!machine || machine.running === running) return oracle;
  return withVm(oracle, name, { running, volumes: eachVolume(machine, change) });
};

/** After the host died and came up again. */
export const afterReboot = (oracle: Oracle): Oracle =>
  Object.keys(oracle.vms).reduce((now, name) => power(now, name, false, interrupted), oracle);

/**
 * What only the state knows about a command: which revision its id means (counted from the oldest), what a file holds, and
 * whether a resize cuts something off.
 */
export type Hints = { readonly revision: number; readonly file: string; readonly shrinks: boolean };

/** After a command that was accepted. */
export const after = (oracle: Oracle, { name, payload }: Command, hints: Hints): Oracle => {
  const key = 'vm' in payload && 'volume' in payload ? `${payload.vm}:${payload.volume}` : '';
  const marked =
    (pinned: boolean) =>
    (one: Expected): Expected => ({
      ...one,
      backs: one.backs.map((back, index) => (index === hints.revision ? { ...back, pinned } : back)),
    });
  switch (name) {
    case 'CreateVM':
      return created(oracle, payload);
    case 'CloneVM':
      return cloned(oracle, payload.source, payload.name);
    case 'RemoveVM':
      return withVm(oracle, payload.name, null);
    case 'StartVM':
      return power(oracle, payload.name, true, (one) => started(one, oracle));
    case 'StopVM':
      return power(oracle, payload.name, false, (one) => stopped(one, !payload.discard));
    case 'KillVM':
      return power(oracle, payload.name, false, (one) => stopped(one, true));
    case 'AddVolume': {
      const kind: Kind = payload.saveOnStop ? 'origin' : payload.snapOnStart ? 'snapshot' : 'volatile';
      const source = payload.source ? `${payload.source.vm}:${payload.source.volume}` : null;
      return withVolume(oracle, key, () => volume(kind, payload.revisionsToKeep ?? oracle.keep, source));
    }
    case 'RemoveVolume':
      return withVolume(oracle, key, () => null);
    case 'CommitVolume':
      return withVolume(oracle, key, (one) =>
        one.snap === null ? one : one.dirty ? committed(one) : replaced(one, one.snap),
      );
    case 'DiscardVolume':
      return withVolume(oracle, key, (one) => ({ ...one, snap: null, dirty: false }));
    case 'RevertVolume':
      return withVolume(oracle, key, (one) => replaced(one, one.backs[hints.revision]?.text ?? '?'));
    case 'ImportVolume':
      return withVolume(oracle, key, (one) => replaced(one, hints.file));
    case 'CloneVolume': {
      const target = `${payload.target.vm}:${payload.target.volume}`;
      const text = curOf(oracle, `${payload.source.vm}:${payload.source.volume}`);
      return withVolume(oracle, target, (one) => replaced(one, text));
    }
    case 'ResizeVolume':
      return withVolume(oracle, key, (one) => (hints.shrinks ? replaced(one, one.cur ?? '') : one));
    case 'SetVolume':
      return withVolume(oracle, key, (one) => ({
        ...one,
        ...('revisionsToKeep' in payload.change ? { keep: payload.change.revisionsToKeep } : {}),
        ...('rw' in payload.change ? { rw: payload.change.rw } : {}),
      }));
    case 'PinRevision':
      return withVolume(oracle, key, marked(true));
    case 'UnpinRevision':
      return withVolume(oracle, key, marked(false));
    default:
      return oracle;
  }
};

/** A guest writes to a volume of its running VM. */
export const written = (oracle: Oracle, key: string, text: string): Oracle =>
  withVolume(oracle, key, (one) => (one.snap === null ? { ...one, cur: text } : { ...one, snap: text }));

export const contentsIn = (oracle: Oracle): Readonly<Record<string, Contents>> =>
  Object.fromEntries(
    Object.entries(oracle.vms).flatMap(([vm, machine]) =>
      Object.entries(machine.volumes).flatMap(([name, { cur, snap, backs }]) =>
        cur === null && snap === null && backs.length === 0
          ? []
          : [[`${vm}:${name}`, { cur, snap, backs: backs.map(({ text }) => text) }] as const],
      ),
    ),
  );
