import { PROJECTIONS } from '../bin/compose.ts';
import type { Json } from '../domain/canonical-json.ts';
import { type Command, decide } from '../domain/decide.ts';
import type { Fact } from '../domain/event.ts';
import type { Failure } from '../domain/failure.ts';
import type { PoolName, VmName, VolumeKey, VolumeName } from '../domain/names.ts';
import { ok, type Result } from '../domain/result.ts';
import { DEFAULT_VOLUMES } from '../domain/vm/default-volumes.ts';
import type { VolumeSpec } from '../domain/volume/volume.ts';
import { type Accepted, acceptAll, type Envelope, type ToAccept } from '../infrastructure/ledger/accept.ts';
import { acquireLease } from '../infrastructure/ledger/lease.ts';
import { type Ledger, openLedger } from '../infrastructure/ledger/ledger.ts';
import { thisProcess } from '../infrastructure/ledger/process-identity.ts';
import type { Projection } from '../infrastructure/ledger/projection.port.ts';
import { catchUp } from '../infrastructure/ledger/projections.ts';

const VMS = 200;
/** Long enough that the data of a fact is 291 bytes in the mean, the payload that the goals were measured with. */
const VALUE_LENGTH = 116;
const POOL = 'bench' as PoolName;
const LONG_AGO = 1_700_000_000_000;

export const must = <T>(result: Result<T, Failure>): T => {
  if (!result.ok)
    throw new Error(`${result.error.code}: ${result.error.message} (${result.error.cause ?? 'no cause'})`);
  return result.value;
};

export const vmName = (index: number): VmName => `vm-${String(index % VMS).padStart(3, '0')}` as VmName;

const OWNER = thisProcess();
const ACTOR = {
  user: 'ada',
  uid: 1000,
  loginUid: 1000,
  tty: 'pts/0',
  tool: 'domtrail',
  argv: ['vm', 'set'],
  source: null,
};

/** The n-th command as it arrives, a second after the one before. */
export const envelopeOf = (n: number, name: string, payload: Json, context: Json): Envelope => ({
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  name,
  schemaVersion: 1,
  payload,
  actor: ACTOR,
  reason: null,
  context,
  receivedAt: LONG_AGO + n * 1000,
  owner: OWNER,
});

const volumesOfVm = (vm: VmName): readonly VolumeSpec[] =>
  DEFAULT_VOLUMES.StandaloneVM.map(({ name, bytes, rw, snapOnStart, saveOnStop }) => ({
    key: `${vm}:${name}` as VolumeKey,
    name: name as VolumeName,
    pool: POOL,
    vid: `appvms/${vm}/${name}`,
    bytes,
    rw,
    snapOnStart,
    saveOnStop,
    revisionsToKeep: 1,
    source: null,
    ephemeral: null,
  }));

const created = (index: number): Fact => {
  const vm = vmName(index);
  const properties = {
    qid: String(index + 1),
    label: 'red',
    uuid: `00000000-0000-4000-9000-${String(index).padStart(12, '0')}`,
  };
  return {
    type: 'VmCreated',
    vm,
    class: 'StandaloneVM',
    properties,
    features: {},
    tags: ['bench'],
    volumes: volumesOfVm(vm),
    clonedFrom: null,
  };
};

const beginning = (): readonly Fact[] => [
  {
    type: 'HostInitialised',
    labels: [{ name: 'red', index: 1, color: '0xcc0000' }],
    properties: { default_kernel: '' },
  },
  {
    type: 'PoolAdded',
    pool: POOL,
    definition: { name: POOL, driver: 'file-reflink', dir: '/nowhere', revisionsToKeep: 1, ephemeralVolatile: false },
  },
  ...Array.from({ length: VMS }, (_, index) => created(index)),
];

/** The n-th fact of a long history: a setting of one of the 200 VMs. */
export const settled = (n: number): Fact => {
  const vm = vmName(n);
  const value = `${n}:`.padEnd(VALUE_LENGTH, 'x');
  const before = n <= 14 * VMS ? null : `${n - 14 * VMS}:`.padEnd(VALUE_LENGTH, 'x');
  if (n % 2 === 0) return { type: 'PropertySet', vm, name: 'kernelopts', value, before };
  return { type: 'FeatureSet', vm, name: `vm-config.f${n % 7}`, value, before };
};

/** A command that is done at once, with these facts. */
export const decidedInto = (n: number, facts: readonly Fact[]): ToAccept => ({
  envelope: envelopeOf(n, 'InitHost', {}, {}),
  decide: () => ok({ plan: { main: [], facts, cleanup: [] }, holds: [] }),
});

const commandOf = (n: number): Command => {
  const value = `${n}:`.padEnd(VALUE_LENGTH, 'x');
  const vm = vmName(n);
  if (n % 2 === 0) return { name: 'SetProperty', payload: { vm, name: 'kernelopts', value } };
  return { name: 'SetFeature', payload: { vm, name: `vm-config.f${n % 7}`, value } };
};

/** The n-th command of the bench: a setting of one of 200 VMs, decided by the domain into one fact. */
export const setting = (n: number): ToAccept => {
  const command = commandOf(n);
  const seen = { now: LONG_AGO + n * 1000, bootId: 'bench', uuid: '00000000-0000-4000-8000-000000000000', open: [] };
  return {
    envelope: envelopeOf(n, command.name, command.payload, seen),
    decide: (host, position) => decide(host, command, { ...seen, position }),
  };
};

export const mustBeAccepted = (result: Result<Accepted, Failure>): void => {
  const { is, outcome } = must(result);
  if (is !== 'accepted') throw new Error(`a command of the bench was ${is}: ${outcome.failure?.message ?? ''}`);
};

export const acceptMany = (ledger: Ledger, commands: readonly ToAccept[]): void => {
  for (const one of must(acceptAll(ledger, commands))) mustBeAccepted(one);
};

/** The ledger in `file` as a changing command has it: the projections in place, this process its one writer. */
export const openWriting = (
  file: string,
  mode: 'create' | 'write',
  projections: readonly Projection[] = PROJECTIONS,
): Ledger => {
  const ledger = must(openLedger(file, mode, projections));
  must(acquireLease(ledger, thisProcess(), null));
  must(catchUp(ledger));
  return ledger;
};

/** It is thrown away after the bench, so it need not survive a power cut, and is written out once instead of often. */
export const hurry = ({ db }: Ledger): void => {
  db.pragma('synchronous = OFF');
  db.pragma('wal_autocheckpoint = 50000');
  db.pragma('cache_size = -400000');
};

/** A new ledger of a host with 200 VMs of four volumes each. Its commands go on at number 1. */
export const freshLedger = (file: string, projections: readonly Projection[] = PROJECTIONS): Ledger => {
  const ledger = openWriting(file, 'create', projections);
  acceptMany(ledger, [decidedInto(0, beginning())]);
  return ledger;
};
