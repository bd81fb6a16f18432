import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyOfHost } from '../../../domain/host/copy-host.ts';
import type { Host } from '../../../domain/host/host.ts';
import { takeOut } from '../../../domain/undo/take-out.ts';
import { choices, commandFor } from '../../runner/choices.ts';
import * as to from '../commands.ts';
import type { Story } from '../given.ts';
import { smallHost, wideHost } from '../hosts.ts';

const valuesOf = ({ site, pools, vms }: Pick<Host, 'site' | 'pools' | 'vms'>) => ({
  site,
  pools: new Map(pools),
  vms: new Map([...vms].map(([name, { published: _published, ...vm }]) => [name, vm])),
});

/** What taking out the first of some commands gives, the others having come after it. */
const withoutFirst = (story: Story, ...[first, ...others]: readonly Parameters<Story['submit']>[0][]) => {
  const before = copyOfHost(story.host);
  if (first) story.after(first);
  const after = copyOfHost(story.host);
  story.after(...others);
  return takeOut({ before, after, now: story.host });
};

const aspects = ({ touched }: ReturnType<typeof takeOut>): readonly string[] =>
  touched.map(({ object, aspect }) => `${object} ${aspect}`);

describe('the present state without one operation', () => {
  test('is the state before it, when it was the last, whatever it was', () => {
    fc.assert(
      fc.property(choices(30), (draws) => {
        const story = wideHost();
        for (const draw of draws) {
          const before = copyOfHost(story.host);
          const command = commandFor(draw, story.host);
          story.now += 1000;
          if (!command || !story.submit(command).ok) continue;
          const { state, touched } = takeOut({ before, after: story.host, now: story.host });
          expect(touched).toEqual([]);
          expect(valuesOf(state)).toEqual(valuesOf(before));
        }
      }),
      { numRuns: 20 },
    );
  });

  test('leaves everything as it is that others did to other things', () => {
    const story = smallHost();
    const { state, touched } = withoutFirst(
      story,
      to.setProperty('work', 'memory', '500'),
      to.setProperty('work', 'vcpus', '3'),
      to.setProperty('fedora', 'memory', '600'),
      to.setFeature('work', 'gui', '1'),
      to.start('work'),
    );
    expect(touched).toEqual([]);
    const work = story.host.vms.get('work' as never);
    const { memory: _memory, ...properties } = work?.properties ?? {};
    expect(valuesOf(state).vms.get('work' as never)).toEqual({
      ...valuesOf(story.host).vms.get('work' as never),
      properties,
    });
    expect(state.vms.get('fedora' as never)).toEqual(story.host.vms.get('fedora' as never));
  });

  test('tells what others changed again, and keeps that; what is as before anyway is no reason to stop', () => {
    const memory = (value: string | null) => to.setProperty('work', 'memory', value);
    expect(aspects(withoutFirst(smallHost(), memory('500'), memory('600')))).toEqual(['work property memory']);
    expect(aspects(withoutFirst(smallHost(), memory('500'), memory(null)))).toEqual([]);
    const { state } = withoutFirst(smallHost(), memory('500'), memory('600'));
    expect(state.vms.get('work' as never)?.properties).toMatchObject({ memory: '600' });
  });

  test('knows what a volume holds as one thing, and its settings and pins each by itself', () => {
    const keep = to.keep('work:private', 5);
    expect(aspects(withoutFirst(smallHost(), keep, to.start('work'), to.stop('work')))).toEqual([]);
    const story = smallHost().after(to.start('work'), to.stop('work'));
    expect(aspects(withoutFirst(story, to.revert('work:private', null), to.start('work'), to.stop('work')))).toEqual([
      'work:private content',
    ]);
    const again = smallHost().after(to.start('work'), to.stop('work'));
    const id = again.volume('work:private').revisions[0]?.id ?? '';
    const { state, touched } = withoutFirst(again, to.pin('work:private', id), to.keep('work:private', 4));
    expect(touched).toEqual([]);
    const volumes: Readonly<Record<string, unknown>> = state.vms.get('work' as never)?.volumes ?? {};
    expect(volumes['private']).toMatchObject({ spec: { revisionsToKeep: 4 }, revisions: [{ id, pinned: false }] });
  });

  test('has a VM again that was removed, and has none that was made, unless somebody used it', () => {
    const mail = to.appVm('mail', { template: 'fedora' });
    expect(
      withoutFirst(smallHost(), mail, to.setProperty('work', 'memory', '500')).state.vms.has('mail' as never),
    ).toBe(false);
    expect(aspects(withoutFirst(smallHost(), mail, to.start('mail')))).toEqual(['mail VM']);
    const removed = withoutFirst(smallHost().after(mail), to.removeVm('mail'), to.setProperty('work', 'memory', '500'));
    expect(removed.state.vms.has('mail' as never)).toBe(true);
    expect(aspects(withoutFirst(smallHost().after(mail), to.removeVm('mail'), mail))).toEqual(['mail VM']);
  });
});
