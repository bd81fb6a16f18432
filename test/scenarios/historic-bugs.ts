import type { Disk, Role } from '../../domain/disk.ts';
import type { Template } from '../../domain/steps.ts';
import type { Kept } from '../../domain/volume/events.ts';
import { CURRENT, SCRATCH, SESSION } from '../../domain/volume/swap.ts';
import { currentOf } from '../../domain/volume/volume.ts';
import * as to from '../domain/commands.ts';
import type { Story } from '../domain/given.ts';
import { smallHost } from '../domain/hosts.ts';
import { accepts, didInstead, failsAt, placeIn } from './history.ts';

/**
 * What bisect has to find: the invariant, the event by its type, and the command by its name. `history` is what a version
 * with the bug would have recorded; everything that the bug does not touch is as today.
 */
export type HistoricBug = {
  readonly title: string;
  readonly invariant: string;
  readonly event: string;
  readonly command: string;
  readonly history: () => Story;
};

const PRIVATE = 'work:private';

const sessionOf = (story: Story, key: string): Disk => {
  const { situation } = story.volume(key);
  if (!('session' in situation)) throw new Error(`${key} has no session`);
  return situation.session.disk;
};

const committed = (story: Story, key: string): Disk => {
  const disk = currentOf(story.volume(key));
  if (!disk) throw new Error(`${key} has no committed disk`);
  return disk;
};

const REVISION: Role = { kind: 'revision', number: 9, at: 1_999_999_999 };
const keptAs = (disk: Template<Disk>): Template<Kept> => ({
  id: '1999999999-back',
  number: 9,
  at: 1_999_999_999,
  disk,
});

const running = (): Story => smallHost().after(to.start('work'), to.stop('work'), to.start('work'));

const backFromTheNewData = (): Story => {
  const story = running();
  const of = { id: sessionOf(story, PRIVATE).id };
  const from = placeIn(story, PRIVATE, SESSION);
  const at = placeIn(story, PRIVATE, CURRENT);
  return didInstead(story, to.stop('work'), PRIVATE, (first) => ({
    main: [
      { do: 'snapshot', of, from, at: placeIn(story, PRIVATE, REVISION) },
      { do: 'erase', disk: { id: committed(story, PRIVATE).id }, at },
      { do: 'snapshot', of, from, at },
      { do: 'erase', disk: of, at: from },
    ],
    facts: [
      {
        type: 'SessionCommitted',
        volume: story.volume(PRIVATE).spec.key,
        current: { madeBy: first + 2 },
        kept: keptAs({ madeBy: first } as never),
      },
    ],
  })).after(to.setProperty('work', 'memory', '400'));
};

const snapOfAVolatileVolume = (): Story => {
  const story = smallHost();
  const { key, bytes } = story.volume('work:volatile').spec;
  return didInstead(story, to.start('work'), key, (first) => ({
    main: [{ do: 'create', at: placeIn(story, key, SESSION), bytes }],
    facts: [{ type: 'SessionOpened', volume: key, session: { disk: { madeBy: first }, origin: null } }],
  })).after(to.setProperty('work', 'memory', '400'));
};

const snapLeftByACommit = (): Story => {
  const story = running();
  const current = committed(story, PRIVATE);
  const at = placeIn(story, PRIVATE, CURRENT);
  const session = { id: sessionOf(story, PRIVATE).id };
  return didInstead(story, to.stop('work'), PRIVATE, (first) => ({
    main: [
      { do: 'move', disk: { id: current.id }, from: at, to: placeIn(story, PRIVATE, REVISION) },
      { do: 'snapshot', of: session, from: placeIn(story, PRIVATE, SESSION), at },
    ],
    facts: [
      {
        type: 'SessionCommitted',
        volume: story.volume(PRIVATE).spec.key,
        current: { madeBy: first + 1 },
        kept: keptAs(current),
      },
    ],
  })).after(to.setProperty('work', 'memory', '400'));
};

const volatileMadeTooEarly = (): Story => {
  const story = smallHost();
  const key = 'early:volatile' as never;
  const vid = 'qubes_dom0/vm-early-volatile';
  const at = { pool: story.volume(PRIVATE).spec.pool, vid, role: SCRATCH };
  return didInstead(story, to.appVm('early', { template: 'fedora' }), key, (first) => ({
    main: [{ do: 'create', at, bytes: 10 * 2 ** 30 }],
    facts: [{ type: 'ScratchOpened', volume: key, disk: { madeBy: first } }],
  })).after(to.setProperty('work', 'memory', '400'));
};

const dirtyForEver = (): Story => {
  const story = running();
  return didInstead(story, to.stop('work'), PRIVATE, () => ({
    facts: [{ type: 'SessionLeft', volume: story.volume(PRIVATE).spec.key }],
  })).after(to.start('work'));
};

const prefixTakenForTheName = (): Story => {
  const other = 'work-private:root';
  const story = smallHost().after(
    to.standaloneVm('work-private'),
    to.start('work-private'),
    to.stop('work-private'),
    to.start('work'),
  );
  const [back] = story.volume(other).revisions;
  if (!back) throw new Error(`${other} has no revision`);
  const session = sessionOf(story, PRIVATE);
  const current = committed(story, PRIVATE);
  const at = placeIn(story, PRIVATE, CURRENT);
  const disk = { id: back.disk.id };
  const doomed = placeIn(story, other, { kind: 'revision', number: back.number, at: back.at });
  const trash = placeIn(story, other, { kind: 'trash', position: 999 });
  return didInstead(story, to.stop('work'), PRIVATE, () => ({
    main: [
      { do: 'move', disk: { id: current.id }, from: at, to: placeIn(story, PRIVATE, REVISION) },
      { do: 'move', disk: { id: session.id }, from: placeIn(story, PRIVATE, SESSION), to: at },
    ],
    facts: [
      { type: 'SessionCommitted', volume: story.volume(PRIVATE).spec.key, current: session, kept: keptAs(current) },
    ],
    cleanup: [
      { do: 'move', disk, from: doomed, to: trash },
      { do: 'erase', disk, at: trash },
    ],
  }));
};

const zeroedRevisionStaysListed = (): Story => {
  const story = running();
  const [back] = story.volume(PRIVATE).revisions;
  if (!back) throw new Error(`${PRIVATE} has no revision`);
  const at = placeIn(story, PRIVATE, { kind: 'revision', number: back.number, at: back.at });
  const session = sessionOf(story, PRIVATE);
  const current = committed(story, PRIVATE);
  const here = placeIn(story, PRIVATE, CURRENT);
  const { id, plan } = accepts(story, to.stop('work'), PRIVATE, () => ({
    main: [
      { do: 'move', disk: { id: current.id }, from: here, to: placeIn(story, PRIVATE, REVISION) },
      { do: 'move', disk: { id: session.id }, from: placeIn(story, PRIVATE, SESSION), to: here },
    ],
    facts: [
      { type: 'SessionCommitted', volume: story.volume(PRIVATE).spec.key, current: session, kept: keptAs(current) },
    ],
    cleanup: [{ do: 'erase', disk: { id: back.disk.id }, at }],
  }));
  const last = plan.cleanup.at(-1);
  if (!last) throw new Error('the plan erases nothing');
  // The host died between blkdiscard and lvremove: everything else of the plan is recorded as done.
  story.carryOut(id, plan, { failing: (step) => step.n === last.n && failsAt(story, id, step) });
  return story.after(to.setProperty('work', 'memory', '400'));
};

const importThatBlocks = (): Story => {
  const story = smallHost().after(to.standaloneVm('other'), to.start('other'));
  const { bytes } = story.volume(PRIVATE).spec;
  const at = placeIn(story, PRIVATE, { kind: 'import' });
  const { id, plan } = accepts(story, to.importFile(PRIVATE), PRIVATE, (first) => ({
    main: [
      { do: 'create', at, bytes },
      { do: 'fill', disk: { madeBy: first }, at, from: { kind: 'stdin' } },
    ],
  }));
  story.carryOut(id, plan, { steps: 1 });
  story.bootId = 'boot-2';
  story.after(to.recordReboot('boot-2'));
  // Until the end of time, because nothing ever ends the import.
  for (let day = 0; day < 3; day++) {
    story.now += 86_400_000;
    story.submit(to.start('work'));
  }
  return story;
};

const zeroedSnapIsCommitted = (): Story => {
  const story = running();
  story.bootId = 'boot-2';
  story.after(to.recordReboot('boot-2'));
  const session = sessionOf(story, PRIVATE);
  const { id, plan } = accepts(story, to.discard(PRIVATE), PRIVATE, () => ({
    main: [{ do: 'erase', disk: { id: session.id }, at: placeIn(story, PRIVATE, SESSION) }],
    facts: [{ type: 'SessionDiscarded', volume: story.volume(PRIVATE).spec.key }],
  }));
  const [step] = plan.main;
  if (!step) throw new Error('the plan erases nothing');
  failsAt(story, id, step);
  const failure = { code: 'D_ABANDONED', message: 'the host died' } as const;
  story.record(id, [{ type: 'CommandAbandoned', failure }]);
  // The next start of the daemon finds a -snap and commits it.
  return story.after(to.commit(PRIVATE), to.setProperty('work', 'memory', '400'));
};

const phantomOfALaterMoment = (): Story => {
  const story = smallHost();
  const root = 'fedora:root';
  const { key } = story.volume(root).spec;
  const origin = committed(story, root);
  const begun = accepts(story, to.start('work'), 'nothing of it', () => ({ holds: false }));
  // lvcreate was killed after LVM had written the snapshot down and before the kernel had heard of it. Meanwhile the
  // template gets other data, on the spot.
  didInstead(story, to.importFile(root), root, () => ({
    main: [
      {
        do: 'fill',
        disk: { id: origin.id },
        at: placeIn(story, root, CURRENT),
        from: { kind: 'stdin' },
      },
    ],
    facts: [{ type: 'VolumeImported', volume: key, from: '-', current: origin, kept: null }],
  }));
  story.record(begun.id, [{ type: 'CommandResumed', owner: { pid: 1, startTime: '2', bootId: 'boot-1' }, from: 1 }]);
  const snapshots = begun.plan.main.filter(({ deed }) => deed.do === 'snapshot').map(({ n }) => n);
  story.carryOut(begun.id, begun.plan, { found: new Set(snapshots) });
  return story.after(to.setProperty('work', 'memory', '400'));
};

export const HISTORIC_BUGS: readonly HistoricBug[] = [
  {
    title: '-back made from the new data',
    invariant: 'back-is-the-previous-current',
    event: 'SessionCommitted',
    command: 'StopVM',
    history: backFromTheNewData,
  },
  {
    title: '-snap although snap_on_start is false',
    invariant: 'snapshot-only-if-snap-on-start',
    event: 'SessionOpened',
    command: 'StartVM',
    history: snapOfAVolatileVolume,
  },
  {
    title: 'missing remove at commit',
    invariant: 'no-orphan-snap',
    event: 'CommandCompleted',
    command: 'StopVM',
    history: snapLeftByACommit,
  },
  {
    title: 'volatile created too early',
    invariant: 'volatile-only-while-running',
    event: 'CommandCompleted',
    command: 'CreateVM',
    history: volatileMadeTooEarly,
  },
  {
    title: 'dirty forever',
    invariant: 'dirty-only-after-a-crash',
    event: 'SessionLeft',
    command: 'StopVM',
    history: dirtyForEver,
  },
  {
    title: "a name's prefix taken for the name",
    invariant: 'only-its-own-disks',
    event: 'CommandAccepted',
    command: 'StopVM',
    history: prefixTakenForTheName,
  },
  {
    title: 'zeroed revision',
    invariant: 'no-zeroed-revision',
    event: 'StepFailed',
    command: 'StopVM',
    history: zeroedRevisionStaysListed,
  },
  {
    title: 'import that blocks',
    invariant: 'nothing-blocks-for-ever',
    event: 'CommandRejected',
    command: 'StartVM',
    history: importThatBlocks,
  },
  {
    title: 'commit of a zeroed snap',
    invariant: 'nothing-erased-is-committed',
    event: 'SessionCommitted',
    command: 'CommitVolume',
    history: zeroedSnapIsCommitted,
  },
  {
    title: 'snapshot taken at a later moment by a phantom LV',
    invariant: 'snapshot-is-of-its-moment',
    event: 'StepDone',
    command: 'StartVM',
    history: phantomOfALaterMoment,
  },
];
