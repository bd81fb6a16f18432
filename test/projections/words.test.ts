import { describe, expect, test } from 'vitest';
import type { DiskId } from '../../domain/disk.ts';
import type { DomainEvent } from '../../domain/event.ts';
import { failure } from '../../domain/failure.ts';
import type { RuleLine } from '../../domain/firewall/rule.ts';
import type { PoolName, VmName, VolumeKey } from '../../domain/names.ts';
import { wordsOf } from '../../domain/words.ts';
import { volumeSpec } from '../domain/volume-spec.ts';

type Samples = { readonly [T in DomainEvent['type']]: Omit<Extract<DomainEvent, { type: T }>, 'type'> };

const vm = 'work' as VmName;
const volume = 'work:private' as VolumeKey;
const disk = { id: 'disk-1' as DiskId, bytes: 2 ** 30 };
const kept = { id: '1767225604-back', number: 1, at: 1_767_225_604, disk };
const owner = { pid: 1, startTime: '1', bootId: 'boot' };
const evidence = { argv: [['lvm', 'lvrename']], exitCode: 0, stderr: '', durationMs: 3 };
const refused = failure('D_BUSY', 'somebody holds it');
const place = { pool: 'lvm' as PoolName, vid: 'vg/vm-work-private', role: { kind: 'trash', position: 7 } } as const;
const plan = { main: [], facts: [], cleanup: [] };
const spec = volumeSpec('work', 'private', { pool: 'lvm', vid: 'vg/vm-work-private', bytes: 2 ** 30 });

const device = { backend: vm, id: '00_1f.2', mode: 'required', identity: '*', options: [] } as const;

/** One event of every type there is: a new type without a sample does not compile. */
const SAMPLES: Samples = {
  CommandAccepted: { name: 'StopVM', digest: 'd', plan, holds: [], owner },
  CommandRejected: { name: 'StopVM', digest: 'd', failure: refused },
  StepDone: {
    n: 1,
    object: volume,
    words: 'move session -> current',
    found: true,
    disk,
    before: 'a',
    after: 'b',
    evidence,
  },
  StepFailed: { n: 1, object: volume, words: 'erase trash 7', code: 'D_DEVICE_IN_USE', message: 'in use', evidence },
  CommandCompleted: { leftover: [3] },
  CommandFailed: { failure: refused, standing: [1] },
  CommandResumed: { owner, from: 2 },
  UndoPlanned: { main: [], cleanup: [] },
  CommandAbandoned: { failure: refused },
  HostInitialised: { labels: [], properties: {} },
  HostAdopted: { labels: [], properties: {}, digest: 'd', lost: [] },
  LabelCreated: { label: { name: 'lime', index: 9, color: '0x00ff00' } },
  LabelRemoved: { label: { name: 'lime', index: 9, color: '0x00ff00' } },
  HostRebooted: { bootId: 'boot-2' },
  GlobalPropertySet: { name: 'default_netvm', value: null, before: 'net' },
  DiskTrashed: { disk, place, from: volume, why: 'retention' },
  DiskReturned: { disk: disk.id, from: volume },
  DiskErased: { disk: disk.id, from: volume },
  PoolAdded: {
    pool: 'lvm',
    definition: {
      driver: 'lvm_thin',
      name: 'lvm' as PoolName,
      volumeGroup: 'vg',
      thinPool: 'pool',
      revisionsToKeep: 1,
      ephemeralVolatile: false,
    },
  },
  PoolRemoved: { pool: 'lvm' },
  PoolWounded: { pool: 'lvm', wound: { is: 'wedged', name: 'vg/vm-a-private', disk: disk.id, lvm: 4, kernel: 3 } },
  PoolMended: { pool: 'lvm', wound: { is: 'torn', volumeGroup: 'vg' }, evidence },
  VmCreated: { vm, class: 'AppVM', properties: {}, features: {}, tags: [], volumes: [], clonedFrom: vm },
  VmRestored: { vm, backup: 'b.qbk', backupId: '20261122T184200-4242', was: 'old' },
  VmBackedUp: { vm, backup: 'b.qbk', backupId: '20261122T184200-4242', files: 2, bytes: 2 ** 20, whole: false },
  VmRemoved: { vm },
  VmStarted: { vm, bootId: 'boot' },
  VmStopped: { vm, how: 'host-reboot' },
  PropertySet: { vm, name: 'netvm', value: '', before: null },
  FeatureSet: { vm, name: 'gui', value: '1', before: null },
  FirewallChanged: {
    vm,
    before: null,
    after: { rules: ['action=drop' as RuleLine], asOf: 0 },
    cause: 'set',
  },
  FirewallReloaded: { vm, asOf: 0 },
  FirewallPublished: { vm, netvm: vm, asOf: 0 },
  DeviceAssigned: { vm, class: 'pci', device, before: null },
  DeviceUnassigned: { vm, class: 'pci', device },
  NotesSet: { vm, text: 'pay the rent' },
  TagSet: { vm, name: 'mine', present: true },
  VolumeAdded: { volume, spec },
  VolumeRemoved: { volume },
  VolumeProvisioned: { volume, current: disk },
  VolumeReturned: { volume, current: disk, session: null, revisions: [], lastNumber: 0, lastAt: 0 },
  VolumeRestored: { volume, from: 'b.qbk', sha256: 'e3b0c44298fc1c14'.repeat(4), current: disk },
  SessionOpened: { volume, session: { disk, origin: disk.id } },
  ScratchOpened: { volume, disk },
  DirectOpened: { volume },
  SessionResumed: { volume },
  SessionCommitted: { volume, current: disk, kept },
  SessionCheckpointed: { volume, current: disk, kept },
  SessionDiscarded: { volume },
  ScratchClosed: { volume },
  DirectClosed: { volume },
  SessionLeft: { volume },
  VolumeReverted: { volume, to: kept.id, current: disk, kept },
  VolumeImported: { volume, from: '-', current: disk, kept: null },
  VolumeCloned: { volume, from: 'mail:private' as VolumeKey, current: disk, kept },
  VolumeResized: { volume, bytes: 2 ** 20, disk: null, kept: null },
  VolumeBackedUp: {
    volume,
    backup: 'b.qbk',
    backupId: '20261122T184200-4242',
    disk,
    bytes: 2 ** 20,
    stored: 512,
    digest: 'e3b0c44298fc1c14'.repeat(4),
    chunks: 1,
    durationMs: 3,
  },
  VolumeBackupFailed: { volume, backup: '-', backupId: '20261122T184200-4242', disk, problem: 'EIO: i/o error, read' },
  VolumeExported: { volume, to: '/tmp/out.img', disk },
  VolumeChanged: { volume, change: { revisionsToKeep: 5 }, before: { revisionsToKeep: 1 } },
  VolumeResourced: { volume, spec },
  RevisionRetired: { volume, id: kept.id, why: 'retention' },
  DiskAdopted: { volume, disk, as: { is: 'revision', ...kept }, origin: null, name: 'a', why: 'because' },
  VolumeReidentified: { volume, disks: [{ was: disk.id, now: 'n' as never }] },
  PoolReserveSet: { pool: 'lvm', reserve: { data: 10, metadata: 20 }, before: null },
  PoolMoved: { pool: 'default', from: '/a', to: '/b' },
  StorageAdopted: { pools: ['lvm'], untouched: [{ name: 'x', why: 'y' }], notes: [] },
  TrashReidentified: { disk: disk.id, now: 'n' as never, from: volume },
  LvmTestified: {
    pool: 'lvm',
    group: 'vg',
    seqno: 7,
    time: 1_767_225_604,
    host: 'dom0',
    commandLine: 'lvrename vg/a vg/b',
    made: [],
    gone: [],
    renamed: [{ id: disk.id, was: 'vg/a', now: 'vg/b' }],
    volumes: [],
  },
  DriftIgnored: { object: 'vg/vm-work-private', about: volume, problem: 'is gone', fingerprint: 'f', reason: 'known' },
  DocumentOverruled: { object: 'qubes.xml', about: null, digest: 'e3b0c44298fc1c14' },
  DriftRepaired: { object: 'vg/vm-work-private', about: volume, problem: 'is called x' },
  DiskLost: { volume, disk: disk.id, name: 'vg/vm-work-private' },
  DisksAccepted: { volume, disks: [{ was: 'n' as never, disk, name: 'vg/vm-work-private', origin: null }] },
  DriftNoticed: { object: 'vg/vm-work-private', about: null },
  RevisionPinned: { volume, id: kept.id, pinned: true },
};

const events = Object.entries(SAMPLES).map(([type, data]) => ({ type, ...data }) as DomainEvent);

describe('every event has its line', () => {
  test.each(events)('$type', (event) => {
    const words = wordsOf(event);
    expect(words).toMatch(/^\S.*\S$/);
    expect(words).not.toMatch(/\n|undefined|null|\[object/);
  });

  test.each(events.filter((event) => JSON.stringify(event).includes(`:"${volume}"`)))(
    '$type names its volume',
    (event) => {
      expect(wordsOf(event)).toMatch(/^(! )?work:private: /);
    },
  );

  test.each(events.filter((event) => 'kept' in event && event.kept))('$type says what was kept', (event) => {
    expect(wordsOf(event)).toContain(kept.id);
  });

  test('what went wrong begins with "!"', () => {
    const bad = events.filter((event) => wordsOf(event).startsWith('!')).map(({ type }) => type);
    expect(bad.sort()).toEqual([
      'CommandAbandoned',
      'CommandFailed',
      'CommandRejected',
      'PoolWounded',
      'SessionLeft',
      'StepFailed',
      'VmBackedUp',
      'VmStopped',
      'VolumeBackupFailed',
    ]);
  });

  test('a step that was done already says so', () => {
    expect(wordsOf({ type: 'StepDone', ...SAMPLES.StepDone })).toBe(
      'work:private: move session -> current (was done already)',
    );
  });
});
