import { createHash } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { commandsBehind } from '../../../bin/report-commands.ts';
import type { StoredCommand } from '../../../infrastructure/ledger/queries.ts';
import { reportPage } from '../../../projections/report/page.ts';
import type { PoolSample, Report } from '../../../projections/report/report.ts';
import { troublesOf } from '../../../projections/report/troubles.ts';
import { pastOf } from '../../../projections/volumes/turns.ts';
import { disksOfVolume, volumesProjection, volumesWithDisks } from '../../../projections/volumes/volumes.ts';
import * as to from '../../domain/commands.ts';
import { OWNER, type Story } from '../../domain/given.ts';
import { smallHost } from '../../domain/hosts.ts';
import { tablesAfter } from '../tables.ts';
import { isWellFormed } from '../well-formed.ts';

const HOSTILE = `</style></title><script>alert(1)</script><img src="http://evil/x" onerror='x'>&\u202e\u0000\u001b[2J`;

/** What the ledger would have stored of a story's command. */
const storedIn =
  (story: Story, reason: string | null) =>
  (id: string): StoredCommand | null => {
    const decided = story.decided.find((one) => one.id === id);
    if (!decided) return null;
    const { command, context, position } = decided;
    const outcome = { command: id, outcome: 'completed', failure: null, finishedAt: null } as const;
    return {
      seq: position,
      id,
      name: command.name,
      schemaVersion: 1,
      payload: command.payload,
      actor: { user: 'ada', uid: 1000, loginUid: 1000, tty: null, tool: 'domtrail', argv: [], source: null },
      reason,
      context: { ...context },
      receivedAt: context.now,
      outcome: { ...outcome, firstPosition: position, lastPosition: position },
    };
  };

const reportOf = (story: Story, more: Partial<Report> = {}, reason: string | null = null): Report => {
  const { sql } = tablesAfter(volumesProjection, story.log);
  const position = story.host.position;
  return {
    host: 'dom0',
    ledger: '/var/lib/domtrail/ledger.db',
    position,
    time: story.now,
    head: 'ab'.repeat(32),
    after: 0,
    upTo: position,
    events: story.log,
    ...commandsBehind(story.log, storedIn(story, reason)),
    volumes: volumesWithDisks(sql, position).map((volume, index) => ({
      volume,
      vm: volume.split(':')[0] ?? '',
      anchor: `volume-${index + 1}`,
      disks: disksOfVolume(sql, volume),
      past: pastOf(story.log.filter(({ stream }) => stream === `volume/${volume}`)),
      most: 50,
    })),
    volumesLeftOut: 0,
    volumesWithoutDisk: [],
    clock: {
      zone: 'UTC',
      day: (ms) => new Date(ms).toISOString().slice(0, 10),
      time: (ms) => new Date(ms).toISOString().slice(11, 19),
      iso: (ms) => new Date(ms).toISOString(),
    },
    tell: (at) => ({ when: `day ${at}`, command: 'StopVM', by: 'ada', reason }),
    ...more,
  };
};

const sample = (more: Partial<PoolSample> = {}): PoolSample => ({
  pool: 'lvm',
  time: 1_767_225_600_000,
  position: 5,
  bytes: 1000,
  usedBytes: 250,
  metadataBytes: 100,
  metadataUsedBytes: 10,
  ...more,
});

const week = (): Story =>
  smallHost(3).after(to.start('work'), to.stop('work'), to.start('work'), to.stop('work'), to.revert('work:private'));

describe('the page', () => {
  const page = reportPage(reportOf(week()));

  test('also reads as XML, has one style sheet that its policy names, and nothing to run or to fetch', () => {
    expect(isWellFormed(page)).toBe(true);
    const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? '';
    const digest = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;`);
    expect(page).not.toMatch(/https?:|<script|<link|<img|<iframe|\ssrc=|url\(|@import|\son\w+=|\sstyle=/);
  });

  test('leads only to places in itself', () => {
    const targets = [...page.matchAll(/href="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(targets.length).toBeGreaterThan(6);
    for (const target of targets) expect(page).toContain(`id="${target.slice(1)}"`);
  });

  test('has a picture of every volume that has something to show', () => {
    const parsed = JSON.stringify(new XMLParser({ ignoreAttributes: false }).parse(page));
    for (const volume of ['fedora:root', 'fedora:private', 'work:private'])
      expect(parsed).toContain(`Lineage of ${volume}: `);
  });

  test('answers first when a volume went back in time', () => {
    const back = page.slice(page.indexOf('id="back"'), page.indexOf('id="failures"'));
    expect(back).toMatch(/work:private<\/bdi><\/a><bdi class="back">↶ reverted to revision \d+-back/);
    expect(reportPage(reportOf(smallHost()))).toContain('No volume shown here did');
  });

  test('is the same every time', () => {
    expect(reportPage(reportOf(week()))).toBe(page);
  });

  test('shows hostile text as text, wherever the log had it', () => {
    const story = week();
    const report = reportOf(story, { host: HOSTILE, ledger: HOSTILE, samples: [sample({ pool: HOSTILE })] }, HOSTILE);
    const hostile = reportPage({
      ...report,
      commands: report.commands.map((one) => ({ ...one, id: HOSTILE, object: HOSTILE, by: HOSTILE })),
      volumes: report.volumes.map((one) => ({ ...one, volume: HOSTILE, vm: HOSTILE })),
      volumesWithoutDisk: [HOSTILE],
    });
    expect(isWellFormed(hostile)).toBe(true);
    expect(hostile).not.toMatch(/<script|<img|\u202e|\u0000|\u001b/);
    expect(hostile.match(/<\/style>/g)).toHaveLength(1);
    expect(hostile).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(hostile).toContain('\\u{202e}\\x00\\x1b[2J');
  });

  test('says what it leaves out', () => {
    const partial = reportPage(
      reportOf(week(), { after: 20, volumesLeftOut: 7, volumesWithoutDisk: ['work:volatile'] }),
    );
    expect(partial).toContain('ev:21 to ev:');
    expect(partial).toContain('20 older events left out');
    expect(partial).toContain('7 more volumes that changed less recently');
    expect(partial).toContain('Without a disk so far: 1 volumes, among them work:volatile');
  });

  test('draws how full a pool was, and says so when nobody looked', () => {
    expect(page).toContain('The log holds no measurement here');
    const samples = [sample(), sample({ time: 1_767_229_200_000, usedBytes: 500, position: 9 })];
    const drawn = reportPage(reportOf(week(), { samples }));
    expect(drawn).toContain('500 B of 1000 B used, 50.0 %, metadata 10.0 % (dashed), at 2026-01-01 01:00:00 (ev:9)');
    expect(drawn).toContain('d="M0 90H1000V60H1000"');
  });
});

const told = (story: Story): readonly string[] =>
  troublesOf(reportOf(story)).map(
    ({ what, settled, mended, times }) => `${what} ×${times}: ${settled ? '' : 'OPEN '}${mended}`,
  );

describe('failures', () => {
  test('name a refusal once, however often it came, and whether it was granted later', () => {
    const story = smallHost();
    for (let n = 0; n < 3; n++) story.submit(to.revert('work:private'));
    expect(told(story)).toEqual(['RevertVolume work:private refused ×3: nothing was changed']);
    story.after(to.start('work'), to.stop('work'), to.revert('work:private'));
    expect(told(story)[0]).toMatch(/^RevertVolume work:private refused ×3: nothing was changed; done later at ev:\d+$/);
  });

  test('name a session that a crash left until somebody decides about it', () => {
    const story = smallHost().after(to.start('work'), to.recordReboot('boot-2'));
    expect(told(story)).toEqual([
      'work:private left by a crash ×1: OPEN waits for a decision: domtrail volume commit|discard work:private',
    ]);
    story.after(to.discard('work:private'));
    expect(told(story)[0]).toMatch(/^work:private left by a crash ×1: the session was thrown away at ev:\d+$/);
  });

  test('name a command that was cut off, open until a recovery completes it', () => {
    const story = smallHost();
    const { id, decision } = story.accept(to.start('work'));
    if (!decision.ok) throw new Error(decision.error.message);
    expect(told(story)).toEqual(['StartVM work has not ended ×1: OPEN still stands; domtrail recover goes on with it']);
    story.record(id, [{ type: 'CommandResumed', owner: OWNER, from: 1 }]);
    story.carryOut(id, decision.value.plan);
    expect(told(story)).toEqual([`StartVM work cut off ×1: recovered: completed at ev:${story.host.position}`]);
  });
});
