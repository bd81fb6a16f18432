import { describe, expect, test } from 'vitest';
import { DOMTRAIL, expectRefusal, homeWithWork, type Terminal } from './terminal.ts';

const homeWithPast = async (): Promise<Terminal> => {
  const terminal = await homeWithWork();
  await terminal.does('vm', 'prefs', 'work', 'vcpus', '3', '-m', 'it was slow');
  await terminal.does('vm', 'start', 'work');
  await terminal.does('vm', 'stop', 'work', '-m', 'end of tuesday');
  return terminal;
};

describe('questions to a log', () => {
  test('why goes from a disk back to the people who made it what it is', async () => {
    const terminal = await homeWithPast();
    const why = await terminal.does('why', 'work:private');
    expect(why).toMatch(/is the committed disk of work:private/);
    expect(why).toMatch(/StopVM cmd:.* by .*\n(.|\n)*end of tuesday/);
    expect(why).toMatch(/\$ domtrail vm create work --class AppVM --template debian/);
    expectRefusal(await terminal.run(['why', 'nobody']), 'D_NOT_FOUND');
  });

  test('blame tells which command gave a setting its value', async () => {
    const terminal = await homeWithPast();
    expect(await terminal.does('blame', 'work', 'vcpus')).toMatch(/^vcpus {2}3\n.*work: vcpus = 3\n.*SetProperty cmd:/);
    expect(await terminal.does('blame', 'work:private', 'size')).toMatch(/^size {2}2147483648\n(.|\n)*CreateVM cmd:/);
  });

  test('diff tells what changed between two points, and which command changed it', async () => {
    const terminal = await homeWithPast();
    const ended = await terminal.run(['diff', 'ev:1', '@', 'work']);
    expect(ended.code).toBe(2);
    expect(ended.out).toMatch(/property vcpus: 3 .*SetProperty cmd:/);
    expect(await terminal.does('diff', '@', '@')).toBe('no changes\n');
  });

  test('bisect finds the event after which a program fails, looking back and changing nothing', async () => {
    const terminal = await homeWithPast();
    const events = (await terminal.document('vm', 'list')).as_of.event;
    const check = `test "$('${process.execPath}' '${DOMTRAIL}' vm prefs work vcpus)" != 3`;
    const found = await terminal.run(['bisect', 'run', '--', 'sh', '-c', check]);
    expect({ code: found.code, out: found.out }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/vcpus = 3\n.*SetProperty/),
    });
    expect((await terminal.document('vm', 'list')).as_of.event).toBe(events);
  });

  test('bisect without a bad event says so, and checks every invariant', async () => {
    const terminal = await homeWithPast();
    const ended = await terminal.run(['bisect', 'run']);
    expect(ended.err).toContain('invariants holds after every event');
    expectRefusal(ended, 'D_NOT_FOUND');
  });
});
