import { stepsOf } from '../decision.ts';
import type { Disk, Place } from '../disk.ts';
import type { Fact } from '../event.ts';
import type { Deed, Step, Template } from '../steps.ts';
import { madeSoFar, type Operation, type Undo } from './operation.ts';

type Draft = Omit<Step, 'n'>;
type Back = { readonly main: Draft[]; readonly cleanup: Draft[] };

type Doomed = { readonly from: Place; readonly position: number };

const laneFor = (step: Step): Pick<Step, 'lane' | 'object'> => ({ lane: step.lane, object: step.object });

/** A disk this command made goes to the trash, like any other that is to be destroyed. */
const throwAwayMade = (back: Back, step: Step, disk: Disk, { from, position }: Doomed): void => {
  const at: Place = { ...from, role: { kind: 'trash', position } };
  const trashed: Template<Fact> = { type: 'DiskTrashed', disk, place: at, from: step.object, why: 'undone' };
  const erased: Template<Fact> = { type: 'DiskErased', disk: disk.id, from: step.object };
  const where = laneFor(step);
  back.main.push({ ...where, deed: { do: 'move', disk: { id: disk.id }, from, to: at }, then: [trashed] });
  back.cleanup.push({ ...where, deed: { do: 'erase', disk: { id: disk.id }, at }, then: [erased] });
};

const reverse = (back: Back, step: Step, disk: Disk | null, position: number): void => {
  const { deed } = step;
  switch (deed.do) {
    case 'create':
    case 'snapshot':
      if (disk) throwAwayMade(back, step, disk, { from: deed.at, position });
      return;
    case 'move':
      if (disk) back.main.push({ ...laneFor(step), deed: moveBack(deed, disk) });
      return;
    case 'writeFirewall':
      back.main.push({ ...laneFor(step), deed: { ...deed, before: deed.after, after: deed.before } });
      return;
    case 'publishFirewall':
      if (deed.before) back.main.push({ ...laneFor(step), deed: { ...deed, before: deed.after, after: deed.before } });
      return;
    case 'startDomain':
      back.main.push({ ...laneFor(step), deed: { do: 'stopDomain', vm: deed.vm, how: 'kill' } });
      return;
    // A grown disk keeps its size, filled and read ones go or stay with their disk, an activated one does no harm.
    case 'resize':
    case 'fill':
    case 'read':
    case 'activate':
    case 'stopDomain':
    case 'erase':
    // Keys of a VM that does not run are read by nobody, and its next start writes them all.
    case 'writeKeys':
    // What is not delivered goes when the command is settled; what is delivered is not taken back.
    case 'archive':
    case 'deliver':
      return;
  }
};

const moveBack = (deed: Extract<Deed, { do: 'move' }>, disk: Disk): Deed => ({
  do: 'move',
  disk: { id: disk.id },
  from: deed.to,
  to: deed.from,
});

/**
 * True as long as nothing is destroyed: until then every main step has a way back. A backup that has its name is somebody's
 * only copy, perhaps, and stays.
 */
export const canUndo = ({ plan, done }: Operation): boolean =>
  plan.main.some(({ n }) => !(n in done)) && !plan.main.some(({ n, deed }) => n in done && deed.do === 'deliver');

/**
 * The way back from where an operation stands: its recorded main steps, reversed. Numbers go on after the plan's, so the
 * record of a step stays unique. Only for an operation whose main steps are not all done.
 */
export const planUndo = (operation: Operation): Undo => {
  const back: Back = { main: [], cleanup: [] };
  const made = madeSoFar(operation);
  const last = stepsOf(operation.plan).length;
  for (const step of [...operation.plan.main].reverse()) {
    // Trash names made here must differ from those the plan made from its own position.
    if (step.n in operation.done) reverse(back, step, made.get(step.n) ?? null, operation.position + last + step.n);
  }
  return {
    main: back.main.map((draft, index) => ({ n: last + index + 1, ...draft })),
    cleanup: back.cleanup.map((draft, index) => ({ n: last + back.main.length + index + 1, ...draft })),
  };
};
