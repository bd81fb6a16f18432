import { describe, expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import { heldBy, type StockLv, trashOf, workLeftWith } from './stock.ts';

/**
 * The states in which stock's driver dies (spec: storage 2.5; D2: the running session's data, D1: committed, D0: older),
 * and what an adoption makes of each. `B0` and `B1` are the revisions of D0 and D1.
 */
const B0 = '-1000-back';
const B1 = '-2000-back';
const D0: StockLv = { of: 'D0' };
const D1: StockLv = { of: 'D1' };
const CUR = { [B0]: D0, '': D1 } as const;

type Held = ReturnType<typeof heldBy>;
type Row = {
  readonly died: string;
  readonly lvs: Readonly<Record<string, StockLv>>;
  readonly held: Partial<Held>;
  readonly trash?: readonly string[];
  readonly notes?: readonly RegExp[];
};

const CLEAN: Partial<Held> = { is: 'clean', session: null, revisions: [] };

const STOP: readonly Row[] = [
  {
    died: 'before a stop: the session waits and nothing is committed unasked',
    lvs: { ...CUR, '-snap': { from: '', of: 'D2' } },
    held: { is: 'dirty', current: 'D1', session: 'D2', revisions: ['D0'] },
    notes: [/session that was not committed is kept/],
  },
  {
    died: "between a commit's renames: the VM had stopped, so the commit is finished",
    lvs: { [B0]: D0, [B1]: D1, '-snap': { from: B1, of: 'D2' } },
    held: { ...CLEAN, current: 'D2', revisions: ['D0', 'D1'] },
    notes: [/between a commit's two renames/],
  },
  {
    died: "between a commit's renames with the clock set back: the session's origin tells the newest revision",
    lvs: { [B1]: D0, [B0]: D1, '-snap': { from: B0, of: 'D2' } },
    held: { ...CLEAN, current: 'D2', revisions: ['D0', 'D1'] },
  },
  {
    died: 'after both renames: two revisions until the next commit',
    lvs: { [B0]: D0, [B1]: D1, '': { from: B1, of: 'D2' } },
    held: { ...CLEAN, current: 'D2', revisions: ['D0', 'D1'] },
  },
  {
    died: 'after discarding the older revision: what reads as zeros is no revision one can revert to',
    lvs: { [B0]: { ...D0, empty: true }, [B1]: D1, '': { from: B1, of: 'D2' } },
    held: { ...CLEAN, current: 'D2', revisions: ['D1'] },
    trash: [''],
  },
];

const START: readonly Row[] = [
  {
    died: 'in a start: the unchanged session costs no revision',
    lvs: { ...CUR, '-snap': { from: '' } },
    held: { is: 'dirty', current: 'D1', session: 'D1', revisions: ['D0'] },
  },
];

const REVERT: readonly Row[] = [
  {
    died: 'in a revert, after discarding the committed disk: the state to revert to is pinned until somebody looks',
    lvs: { [B0]: D0, '': { ...D1, empty: true } },
    held: { ...CLEAN, current: '', revisions: ['D0'] },
    notes: [/empty though older states have data/],
  },
  {
    died: 'in a revert, after removing the committed disk: the revision is the committed disk',
    lvs: { [B0]: D0 },
    held: { ...CLEAN, current: 'D0' },
    notes: [/newest revision is it/],
  },
];

const IMPORT: readonly Row[] = [
  {
    died: 'in an import, before its end: the half-filled disk is put aside and the VM is not blocked',
    lvs: { ...CUR, '-import': { of: 'I' } },
    held: { ...CLEAN, current: 'D1', revisions: ['D0'] },
    trash: ['I'],
  },
  {
    died: 'in an import that was given up, after discarding it',
    lvs: { ...CUR, '-import': { of: 'I', empty: true } },
    held: { ...CLEAN, current: 'D1', revisions: ['D0'] },
    trash: [''],
  },
  {
    died: "between an import's renames: all data had come, so it is finished",
    lvs: { [B0]: D0, [B1]: D1, '-import': { of: 'I1' } },
    held: { ...CLEAN, current: 'I1', revisions: ['D0', 'D1'] },
    notes: [/between an import's two renames/],
  },
  {
    died: 'after an import of a volume of the same pool had moved the committed disk away: the import is not done',
    lvs: { [B0]: D0, [B1]: D1 },
    held: { ...CLEAN, current: 'D1', revisions: ['D0'] },
  },
  {
    died: 'after an import, in discarding the older revision',
    lvs: { '': { of: 'I1' }, [B0]: { ...D0, empty: true }, [B1]: D1 },
    held: { ...CLEAN, current: 'I1', revisions: ['D1'] },
    trash: [''],
  },
];

const CLONE_AND_REMOVE: readonly Row[] = [
  {
    died: 'in a clone, after creating the empty disk',
    lvs: { '': {} },
    held: { ...CLEAN, current: '' },
  },
  {
    died: 'in a clone, after making the empty disk a revision: it is the committed disk again',
    lvs: { [B0]: {} },
    held: { ...CLEAN, current: '' },
  },
  {
    died: 'after a clone: its revision of an empty disk is none',
    lvs: { [B0]: {}, '': { of: 'S1' } },
    held: { ...CLEAN, current: 'S1' },
    trash: [''],
  },
  {
    died: 'in removing, after discarding the session: zeros are never committed',
    lvs: { ...CUR, '-snap': { from: '', empty: true } },
    held: { ...CLEAN, current: 'D1', revisions: ['D0'] },
    trash: [''],
    notes: [/stock had begun to remove it/],
  },
  { died: 'in removing, before the committed disk', lvs: { '': D1 }, held: { ...CLEAN, current: 'D1' } },
  {
    died: 'in removing, after discarding the committed disk',
    lvs: { '': { ...D1, empty: true } },
    held: { ...CLEAN, current: '' },
  },
  {
    died: 'in removing, after everything',
    lvs: {},
    held: { is: 'absent', current: null, session: null, revisions: [] },
    notes: [/no disk in its pool/],
  },
];

const FIRST_YEARS: readonly Row[] = [
  {
    died: 'in 2016, with a revision called just -back: it is the oldest',
    lvs: { '-back': D0, [B1]: D1, '': { of: 'D2' } },
    held: { ...CLEAN, current: 'D2', revisions: ['D0', 'D1'] },
  },
  {
    died: 'in a commit of 2016: only -back and -snap are left',
    lvs: { '-back': D1, '-snap': { of: 'D2' } },
    held: { ...CLEAN, current: 'D2', revisions: ['D1'] },
  },
  {
    died: 'in a commit of 2017, the committed disk called -tmp (qubes-issues 3302): both states are there to choose from',
    lvs: { [B0]: D0, '-tmp': D1, '-snap': { from: '-tmp', of: 'D2' } },
    held: { is: 'dirty', current: 'D1', session: 'D2', revisions: ['D0'] },
  },
  {
    died: 'after a commit of 2017, before removing -tmp (qubes-issues 4030)',
    lvs: { '-tmp': D1, '': { of: 'D2' } },
    held: { ...CLEAN, current: 'D2' },
    trash: ['D1'],
  },
  {
    died: 'in a commit that kept nothing: the session is all there is (qubes-issues 3164)',
    lvs: { '-snap': { of: 'D2' } },
    held: { ...CLEAN, current: 'D2' },
  },
];

const ALL: Readonly<Record<string, readonly Row[]>> = {
  'STOP / COMMIT': STOP,
  START,
  REVERT,
  IMPORT,
  'CLONE and REMOVE': CLONE_AND_REMOVE,
  'the first years': FIRST_YEARS,
};

for (const [title, rows] of Object.entries(ALL)) {
  describe(`stock died: ${title}`, () => {
    for (const { died, lvs, held, trash = [], notes = [] } of rows) {
      test(died, async () => {
        const world = await workLeftWith(lvs);
        await world.does(to.adoptStorage());
        expect(heldBy(world, 'work:private')).toMatchObject(held);
        expect(trashOf(world)).toEqual(trash);
        const sum = world.log.find(({ event }) => event.type === 'StorageAdopted')?.event;
        const said = sum?.type === 'StorageAdopted' ? sum.notes.map(({ note }) => note).join('\n') : '';
        for (const note of notes) expect(said).toMatch(note);
      });

      test(`${died}; afterwards the VM starts and stops`, async () => {
        if (held.is === 'absent') return;
        const world = await workLeftWith(lvs);
        await world.does(to.adoptStorage(), to.start('work'), to.stop('work'));
        expect(heldBy(world, 'work:private').current).toBe(held.session ?? held.current);
      });
    }
  });
}
