import { describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/event.ts';
import { failure } from '../../domain/failure.ts';
import { ok } from '../../domain/result.ts';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { record } from '../../infrastructure/ledger/record.ts';
import { auditOf, auditProjection } from '../../projections/audit/audit.ts';
import * as to from '../domain/commands.ts';
import type { Story } from '../domain/given.ts';
import { smallHost, wideHost } from '../domain/hosts.ts';
import { envelope, ledgerFile, must, writable } from '../ledger/fixture.ts';
import { tablesAfter } from './tables.ts';

const entries = (story: Story, object: string, upTo?: number) =>
  auditOf(tablesAfter(auditProjection, story.log).sql, object, upTo);

/** The types of the events that concern an object, from a position on. */
const types = (story: Story, object: string, after = 0): readonly string[] =>
  entries(story, object)
    .filter(({ position }) => position > after)
    .map(({ position }) => story.log[position - 1]?.event.type ?? '?');

const reason = failure('D_DEVICE_IN_USE', 'in use');
const evidence = { argv: [], exitCode: 5, stderr: '', durationMs: 1 };

describe('which events concern an object', () => {
  test('a volume is concerned by the commands that hold it, their steps on it, and its facts', () => {
    const story = smallHost();
    const before = story.host.position;
    story.after(to.start('work'));
    expect(types(story, 'work:private', before)).toEqual(['CommandAccepted', 'StepDone', 'SessionOpened']);
  });

  test('a VM is concerned by everything that happens to its volumes', () => {
    const story = smallHost();
    const before = story.host.position;
    story.after(to.start('work'), to.keep('work:private', 3));
    expect(types(story, 'work', before)).toEqual(
      expect.arrayContaining(['SessionOpened', 'ScratchOpened', 'VmStarted', 'VolumeChanged']),
    );
  });

  test('a command that only reads an object leaves no trace there', () => {
    const story = wideHost();
    const before = story.host.position;
    story.after(to.cloneVm('work', 'copy'));
    expect(types(story, 'work:private', before)).toEqual([]);
    expect(types(story, 'copy:private', before)).toEqual([
      'CommandAccepted',
      'StepDone',
      'VmCreated',
      'VolumeProvisioned',
    ]);
  });

  test('a clone into a volume concerns the volume it was made from too', () => {
    const story = wideHost().after(to.addVolume('work:data'));
    const before = story.host.position;
    story.after(to.cloneVolume('work:private', 'work:data'));
    expect(types(story, 'work:private', before)).toEqual(['VolumeCloned']);
  });

  test('the end of a VM is the end of its volumes', () => {
    const story = smallHost().after(to.removeVm('work'));
    expect(types(story, 'work:root').at(-1)).toBe('VmRemoved');
    expect(types(story, 'work:private')).toContain('VmRemoved');
  });

  test('how a command went concerns all it holds; that it simply went through does not', () => {
    const story = smallHost();
    const before = story.host.position;
    const { id } = story.accept(to.start('work'));
    const course: readonly DomainEvent[] = [
      { type: 'CommandFailed', failure: reason, standing: [] },
      { type: 'CommandResumed', owner: { pid: 1, startTime: '1', bootId: 'b' }, from: 1 },
      { type: 'UndoPlanned', main: [], cleanup: [] },
      { type: 'CommandAbandoned', failure: reason },
    ];
    story.record(id, course);
    for (const object of ['work', 'work:private', 'work:root']) {
      expect(types(story, object, before), object).toEqual(['CommandAccepted', ...course.map(({ type }) => type)]);
    }
    expect(types(story.after(to.start('work')), 'work')).not.toContain('CommandCompleted');
  });

  test('what is left to tidy up does', () => {
    const story = smallHost();
    const { id } = story.accept(to.start('work'));
    story.record(id, [{ type: 'CommandCompleted', leftover: [4] }]);
    expect(types(story, 'work:private').at(-1)).toBe('CommandCompleted');
  });

  test('pools and global settings have their own histories', () => {
    const story = smallHost().after(to.addPool(to.filePool('files')), to.setProperty(null, 'default_pool', 'lvm'));
    expect(types(story, 'pool files')).toEqual(['CommandAccepted', 'PoolAdded']);
    expect(types(story, 'global')).toEqual(['HostInitialised', 'CommandAccepted', 'GlobalPropertySet']);
  });

  test('nothing after the position that was asked for', () => {
    const story = smallHost().after(to.start('work'));
    const all = entries(story, 'work');
    const some = entries(story, 'work', all[1]?.position);
    expect(some).toEqual(all.slice(0, 2));
  });

  test('tables beside the live ones get the same rows', () => {
    const { log } = wideHost().after(to.start('work'), to.stop('work'), to.removeVm('work'));
    const live = tablesAfter(auditProjection, log);
    const shadow = tablesAfter(auditProjection, log, 'shadow_');
    for (const table of auditProjection.tables) expect(shadow.rows(table)).toEqual(live.rows(table));
  });
});

describe('how it went', () => {
  test('done, found to be done already, failed, or simply a fact', () => {
    const story = smallHost();
    const { id } = story.accept(to.start('work'));
    const step = { n: 1, object: 'work:private', words: 'snapshot current -> session' };
    const made = { ...step, disk: null, before: null, after: 'x', evidence };
    story.record(id, [
      { type: 'StepDone', ...made, found: false },
      { type: 'StepDone', ...made, n: 2, found: true },
      { type: 'StepFailed', ...step, n: 3, code: 'D_DEVICE_IN_USE', message: 'in use', evidence },
      { type: 'CommandFailed', failure: reason, standing: [1] },
    ]);
    expect(
      entries(story, 'work:private')
        .slice(-5)
        .map(({ result }) => result),
    ).toEqual(['fact', 'done', 'found', 'failed', 'failed']);
  });
});

test('with SQL the ledger tells who asked, what ran and how it ended', () => {
  const ledger = writable(ledgerFile(), [auditProjection]);
  const step = { n: 1, lane: 'work', object: 'work', deed: { do: 'startDomain', vm: 'work' as never } } as const;
  const plan = { main: [step], facts: [], cleanup: [] };
  must(
    accept(ledger, {
      envelope: { ...envelope('c1'), reason: 'monday' },
      decide: () => ok({ plan, holds: [{ object: 'work', mode: 'write' }] }),
    }),
  );
  const ran = { argv: [['virsh', 'start', 'work']], exitCode: 1, stderr: '', durationMs: 2 };
  const failed = {
    n: 1,
    object: 'work',
    words: 'start the domain',
    code: 'D_STEP_FAILED',
    message: 'no',
    evidence: ran,
  } as const;
  must(record(ledger, { command: 'c1', time: 1 }, [{ type: 'StepFailed', ...failed }]));
  const [last] = ledger.sql.all("SELECT * FROM audit_trail WHERE object = 'work' ORDER BY position DESC LIMIT 1");
  expect(last).toMatchObject({
    command: 'c1',
    asked: 'SetThing',
    reason: 'monday',
    what: 'StepFailed',
    exit_code: 1,
    result: 'failed',
  });
  expect(JSON.parse(String(last?.['argv']))).toEqual(ran.argv);
  expect(JSON.parse(String(last?.['actor']))).toMatchObject({ user: 'ada' });
});
