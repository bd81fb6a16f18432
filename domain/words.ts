import type { AdoptedAs } from './adoption/events.ts';
import { wordsOfTestimony } from './adoption/testimony.ts';
import { formatBytes } from './bytes.ts';
import type { CommandEvent } from './command/events.ts';
import { isCommandEvent } from './command/operation.ts';
import { counted } from './counted.ts';
import { stepsOf } from './decision.ts';
import type { Accepted } from './drift/adopted.ts';
import type { DomainEvent } from './event.ts';
import { isFirewallFact } from './firewall/events.ts';
import { wordsOfFirewall } from './firewall/words.ts';
import type { HostFact } from './host/events.ts';
import type { PoolFact } from './pool/events.ts';
import { wordsOfMending, wordsOfWound } from './pool/wound.ts';
import { wordsOfDevice } from './vm/devices.ts';
import type { VmFact } from './vm/events.ts';
import { isVmFact } from './vm/evolve.ts';
import type { Kept, VolumeFact } from './volume/events.ts';
import { isVolumeFact } from './volume/evolve.ts';

const wordsOfCommand = (event: CommandEvent): string => {
  switch (event.type) {
    case 'CommandAccepted':
      return `${event.name} accepted, ${counted(stepsOf(event.plan).length, 'step')}`;
    case 'CommandRejected':
      return `! ${event.name} refused: ${event.failure.message}`;
    case 'StepDone':
      return `${event.object}: ${event.words}${event.found ? ' (was done already)' : ''}`;
    case 'StepFailed':
      return `! ${event.object}: ${event.words} failed: ${event.message}`;
    case 'CommandCompleted':
      return event.leftover.length === 0
        ? 'completed'
        : `completed, ${counted(event.leftover.length, 'clean-up step')} left over`;
    case 'CommandFailed':
      return `! stopped: ${event.failure.message}`;
    case 'CommandResumed':
      return `recovery goes on from step ${event.from}`;
    case 'UndoPlanned':
      return `taking it back, ${counted(event.main.length + event.cleanup.length, 'step')}`;
    case 'CommandAbandoned':
      return `! abandoned, nothing of it stands: ${event.failure.message}`;
  }
};

const keptAs = (kept: Kept): string => (kept ? `, the old state kept as revision ${kept.id}` : '');

const setTo = (name: string, value: string | null): string =>
  value === null ? `${name} unset` : `${name} = ${value === '' ? '""' : value}`;

const nameOf = ({ backup }: { readonly backup: string }): string => (backup === '-' ? 'standard output' : backup);

const wordsOfContent = (fact: VolumeFact): string | null => {
  switch (fact.type) {
    case 'SessionCommitted':
      return `${fact.volume}: session committed${keptAs(fact.kept)}`;
    case 'SessionCheckpointed':
      return `${fact.volume}: running session committed as it was${keptAs(fact.kept)}`;
    case 'VolumeReverted':
      return `${fact.volume}: reverted to ${fact.to}${keptAs(fact.kept)}`;
    case 'VolumeImported':
      return `${fact.volume}: imported from ${fact.from === '-' ? 'standard input' : fact.from}${keptAs(fact.kept)}`;
    case 'VolumeCloned':
      return `${fact.volume}: cloned from ${fact.from}${keptAs(fact.kept)}`;
    case 'VolumeResized':
      return `${fact.volume}: ${formatBytes(fact.bytes)}${keptAs(fact.kept)}`;
    case 'VolumeExported':
      return `${fact.volume}: exported to ${fact.to === '-' ? 'standard output' : fact.to}`;
    case 'VolumeBackedUp':
      return `${fact.volume}: backed up to ${nameOf(fact)}, ${formatBytes(fact.bytes)}, digest ${fact.digest.slice(0, 12)}`;
    case 'VolumeBackupFailed':
      return `! ${fact.volume}: not backed up to ${nameOf(fact)}: ${fact.problem}`;
    default:
      return null;
  }
};

type OtherVolumeFact = Exclude<
  VolumeFact,
  {
    type:
      | 'SessionCommitted'
      | 'SessionCheckpointed'
      | 'VolumeReverted'
      | 'VolumeImported'
      | 'VolumeCloned'
      | 'VolumeResized'
      | 'VolumeExported'
      | 'VolumeBackedUp'
      | 'VolumeBackupFailed';
  }
>;

const adoptedAs = (as: AdoptedAs): string => (as.is === 'revision' ? `revision ${as.id}` : as.is);

const wordsOfAccepted = ({ was, disk, name }: Accepted): string =>
  was === disk.id
    ? `${name} has ${formatBytes(disk.bytes)} now, accepted`
    : `${name} is another disk now (${disk.id}, ${formatBytes(disk.bytes)}), accepted in place of ${was}`;

const wordsOfLife = (fact: OtherVolumeFact): string => {
  switch (fact.type) {
    case 'VolumeAdded':
      return 'added';
    case 'VolumeRemoved':
      return 'removed';
    case 'VolumeRestored':
      return `restored from ${fact.from}, ${formatBytes(fact.current.bytes)}, sha256 ${fact.sha256.slice(0, 12)}`;
    case 'VolumeReturned':
      return `back from the trash with ${counted(fact.revisions.length, 'revision')}`;
    case 'VolumeProvisioned':
      return `first disk, ${formatBytes(fact.current.bytes)}`;
    case 'SessionOpened':
      return `session opened${fact.session.origin ? ` from ${fact.session.origin}` : ''}`;
    case 'ScratchOpened':
      return 'volatile disk made';
    case 'DirectOpened':
      return 'given to the VM without a snapshot';
    case 'SessionResumed':
      return 'the session before the crash goes on';
    case 'SessionDiscarded':
      return 'session thrown away';
    case 'ScratchClosed':
      return 'volatile disk thrown away';
    case 'DirectClosed':
      return 'taken back from the VM';
    case 'SessionLeft':
      return 'the host went down under the session; its data is kept';
    case 'VolumeChanged':
      return Object.entries(fact.change)
        .map(([name, value]) => setTo(name, `${value}`))
        .join(', ');
    case 'VolumeResourced':
      return `starts from ${fact.spec.source ?? 'nothing'} now`;
    case 'RevisionRetired':
      return `revision ${fact.id} retired (${fact.why})`;
    case 'DiskAdopted':
      return `adopted ${fact.name} as ${adoptedAs(fact.as)}${fact.why === null ? '' : ` (${fact.why})`}`;
    case 'VolumeReidentified':
      return `the same ${counted(fact.disks.length, 'disk')} under new identities, after a move`;
    case 'DiskLost':
      return `${fact.name} is lost (${fact.disk})`;
    case 'DisksAccepted':
      return fact.disks.map(wordsOfAccepted).join('; ');
    case 'RevisionPinned':
      return `revision ${fact.id} ${fact.pinned ? 'pinned' : 'unpinned'}`;
  }
};

const wordsOfVolume = (fact: VolumeFact): string =>
  wordsOfContent(fact) ??
  `${fact.type === 'SessionLeft' ? '! ' : ''}${fact.volume}: ${wordsOfLife(fact as OtherVolumeFact)}`;

const wordsOfVm = (fact: VmFact): string => {
  switch (fact.type) {
    case 'VmCreated':
      return `${fact.vm} created (${fact.class}${fact.clonedFrom ? `, cloned from ${fact.clonedFrom}` : ''})`;
    case 'VmRestored':
      return `${fact.vm} restored from ${fact.backup}${fact.was === fact.vm ? '' : `, where it was ${fact.was}`}`;
    case 'VmBackedUp':
      return `${fact.whole ? '' : '! '}${fact.vm} backed up to ${nameOf(fact)}${fact.whole ? '' : ', not all of it'}`;
    case 'VmRemoved':
      return `${fact.vm} removed`;
    case 'VmStarted':
      return `${fact.vm} running`;
    case 'VmStopped':
      return fact.how === 'host-reboot' ? `! ${fact.vm} halted: the host went down` : `${fact.vm} halted (${fact.how})`;
    case 'PropertySet':
      return `${fact.vm}: ${setTo(fact.name, fact.value)}`;
    case 'FeatureSet':
      return `${fact.vm}: feature ${setTo(fact.name, fact.value)}`;
    case 'NotesSet':
      return fact.text === null
        ? `${fact.vm}: notes taken away`
        : `${fact.vm}: notes of ${counted(fact.text.length, 'character')}`;
    case 'TagSet':
      return `${fact.vm}: tag ${fact.name} ${fact.present ? 'added' : 'taken away'}`;
    case 'DeviceAssigned':
      return `${fact.vm}: ${fact.class} device ${wordsOfDevice(fact.device)} assigned (${fact.device.mode})`;
    case 'DeviceUnassigned':
      return `${fact.vm}: ${fact.class} device ${wordsOfDevice(fact.device)} unassigned`;
  }
};

const wordsOfHost = (fact: HostFact | PoolFact): string => {
  switch (fact.type) {
    case 'HostInitialised':
      return 'host initialised';
    case 'HostAdopted':
      return `host adopted from a qubes.xml${fact.lost.length === 0 ? '' : `, ${counted(fact.lost.length, 'thing')} lost`}`;
    case 'LabelCreated':
      return `label ${fact.label.name} created (${fact.label.color})`;
    case 'LabelRemoved':
      return `label ${fact.label.name} removed`;
    case 'HostRebooted':
      return 'the host was rebooted';
    case 'GlobalPropertySet':
      return `global ${setTo(fact.name, fact.value)}`;
    case 'DiskTrashed':
      return `${fact.from}: disk ${fact.disk.id} into the trash (${fact.why})`;
    case 'DiskReturned':
      return `${fact.from}: disk ${fact.disk} back from the trash`;
    case 'DiskErased':
      return `${fact.from}: disk ${fact.disk} erased`;
    case 'StorageAdopted':
      return `adopted what lay in ${fact.pools.join(', ')}, ${counted(fact.untouched.length, 'disk')} left alone`;
    case 'TrashReidentified':
      return `${fact.from}: trash ${fact.disk} is ${fact.now} since a move`;
    case 'DriftIgnored':
      return `${fact.about === null ? '' : `${fact.about}: `}${fact.object} is left as it is (${fact.reason}): ${fact.problem}`;
    case 'DocumentOverruled':
      return fact.digest === null
        ? `${fact.object} is written again: it was missing`
        : `${fact.object} is written over, the edited one is kept aside (${fact.digest.slice(0, 12)})`;
    case 'DriftRepaired':
      return `${fact.about === null ? '' : `${fact.about}: `}${fact.object} put right: ${fact.problem}`;
    case 'DriftNoticed':
      return `${fact.about === null ? '' : `${fact.about}: `}${fact.object} is told again`;
    case 'PoolAdded':
      return `pool ${fact.pool} added (${fact.definition.driver})`;
    case 'PoolMoved':
      return `pool ${fact.pool} lies in ${fact.to} now`;
    case 'PoolRemoved':
      return `pool ${fact.pool} removed`;
    case 'PoolReserveSet':
      return fact.reserve
        ? `pool ${fact.pool} keeps back ${fact.reserve.data} % of data, ${fact.reserve.metadata} % of metadata`
        : `pool ${fact.pool} keeps back what suits its size`;
    case 'LvmTestified':
      return wordsOfTestimony(fact);
    case 'PoolWounded':
      return `! pool ${fact.pool}: ${wordsOfWound(fact.wound)}`;
    case 'PoolMended':
      return `pool ${fact.pool} mended: ${wordsOfMending(fact.wound)}`;
  }
};

/** Every event in one line, for logs, blame and reports alike. `!` begins what went wrong. */
export const wordsOf = (event: DomainEvent): string => {
  if (isCommandEvent(event)) return wordsOfCommand(event);
  if (isVolumeFact(event)) return wordsOfVolume(event);
  if (isFirewallFact(event)) return wordsOfFirewall(event);
  return isVmFact(event) ? wordsOfVm(event) : wordsOfHost(event);
};
