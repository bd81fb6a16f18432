import { volumeOf } from '../host/host.ts';
import { currentOf, snapshotsDisabled, type Volume } from '../volume/volume.ts';
import type { Befallen, Invariant } from './invariant.ts';

const mayHaveSnapshot = ({ spec }: Volume): boolean =>
  spec.snapOnStart || (spec.saveOnStop && !snapshotsDisabled(spec));

export const snapshotOnlyIfSnapOnStart: Invariant = {
  name: 'snapshot-only-if-snap-on-start',
  sentence:
    'A VM gets a snapshot only of a volume with snap_on_start, or with save_on_stop and snapshots enabled; a volatile volume never has one.',
  fact: ({ fact, before }) =>
    fact.type === 'SessionOpened' && !mayHaveSnapshot(before)
      ? `${fact.session.disk.id} was made as its -snap, but snap_on_start is false${before.spec.saveOnStop ? ' and snapshots are disabled' : ' and so is save_on_stop'}`
      : null,
};

const fromElsewhere = ({ fact, before, host }: Befallen): string | null => {
  if (fact.type !== 'SessionOpened') return null;
  const { source, snapOnStart } = before.spec;
  const of = snapOnStart && source ? volumeOf(host, source) : before;
  const wanted = of ? (currentOf(of)?.id ?? null) : null;
  const { origin } = fact.session;
  return origin === wanted
    ? null
    : `its session is a snapshot of ${origin ?? 'nothing'}; committed in ${of?.spec.key ?? source} is ${wanted ?? 'nothing'}`;
};

export const sourceChain: Invariant = {
  name: 'source-chain',
  sentence: 'A session starts from the committed disk of its source, or of the volume itself where it has no source.',
  fact: fromElsewhere,
  rest: ({ volume: { spec }, host }) => {
    if (!spec.snapOnStart || !spec.source) return null;
    const source = volumeOf(host, spec.source);
    if (!source) return `its source ${spec.source} does not exist`;
    return source.spec.pool === spec.pool ? null : `its source ${spec.source} lies in another pool`;
  },
};

export const dirtyOnlyAfterACrash: Invariant = {
  name: 'dirty-only-after-a-crash',
  sentence: 'A session is left for somebody to decide only when the host died under it; a stop ends it.',
  fact: ({ fact, vm, boot }) => {
    if (fact.type !== 'SessionLeft') return null;
    if (vm.power.is === 'halted') return `its session is left as dirty although ${vm.name} had stopped`;
    return boot !== null && vm.power.bootId === boot
      ? `its session is left as dirty although the host did not reboot (boot ${boot})`
      : null;
  },
};

export const volatileOnlyWhileRunning: Invariant = {
  name: 'volatile-only-while-running',
  sentence: 'What is thrown away at stop, a volatile disk or a snapshot of the source, exists only while its VM runs.',
  rest: ({ volume, vm, lying }) => {
    if (vm.power.is === 'running' || volume.spec.saveOnStop) return null;
    const { is } = volume.situation;
    const left = lying?.find(({ slot }) => slot === 'current');
    if (is === 'absent' && !left) return null;
    return `${vm.name} is halted and its ${is === 'running' ? 'snapshot' : 'volatile disk'}${left ? ` (${left.id})` : ''} exists`;
  },
};

export const openOnlyWhileRunning: Invariant = {
  name: 'open-only-while-running',
  sentence: 'A volume that keeps its data is in use only while its VM runs, and in use when it does.',
  rest: ({ volume, vm }) => {
    const { is } = volume.situation;
    const open = is === 'running' || is === 'direct';
    if (vm.power.is === 'halted') {
      return open && volume.spec.saveOnStop ? `${vm.name} is halted and the log has it in use` : null;
    }
    return is === 'clean' || is === 'dirty' ? `${vm.name} runs without it: it is ${is}` : null;
  },
};
