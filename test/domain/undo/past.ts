import type { Command } from '../../../domain/decide.ts';
import type { Decision } from '../../../domain/decision.ts';
import { emptyHost, evolve, type Host } from '../../../domain/host/host.ts';
import { watchContents } from '../../../domain/undo/content.ts';
import { type Done, isOperation, lastUndo, standsAt } from '../../../domain/undo/course.ts';
import { wantedOf, writeWanted } from '../../../domain/undo/wanted.ts';
import { restoreOperation } from '../commands.ts';
import type { Expectation, Story } from '../given.ts';

type Restore = Extract<Command, { name: 'RestoreOperation' }>['payload'];

/** Lets a story see the state at a position, as the service does. */
const lookBack = (story: Pick<Story, 'host' | 'log' | 'wanted'>, position: number): void => {
  const host = emptyHost();
  let past: Pick<Host, 'site' | 'pools' | 'vms'> = { site: null, pools: new Map(), vms: new Map() };
  const watch = watchContents();
  for (const recorded of story.log) {
    evolve(host, recorded);
    if (recorded.position <= position) past = { site: host.site, pools: new Map(host.pools), vms: new Map(host.vms) };
    else watch.follow(host, recorded);
  }
  story.wanted = writeWanted(wantedOf(past, story.host, watch.contents()));
};

/** The operations of a story, the newest first, as the command line sees them. */
const operations = (story: Story): readonly Done[] =>
  story.decided
    .map(({ id, command, position }): Done => {
      const last = story.log.findLast((recorded) => recorded.command === id)?.position ?? position;
      const restored = command.name === 'RestoreOperation' ? command.payload : null;
      return { id, name: command.name, first: position, last, restored };
    })
    .filter((done) => story.log[done.first - 1]?.event.type === 'CommandAccepted' && isOperation(done))
    .reverse();

type Way = Pick<Restore, 'kind' | 'operation' | 'position'> & { readonly only?: string | null };

/** The command that goes back; the story, or a world, then sees the past that it needs. */
export const wayCommand = (
  story: Pick<Story, 'host' | 'log' | 'wanted'>,
  { kind, operation, position, only = null }: Way,
): Command => {
  lookBack(story, position);
  return restoreOperation({ kind, operation, position, head: story.host.position, only });
};

/** What going back to a position would do. */
export const whenBack = (story: Story, position: number, only: string | null = null): Expectation =>
  story.when(wayCommand(story, { kind: 'restore', operation: 'op', position, only }));

export const goesBack = (story: Story, position: number, only: string | null = null): Decision =>
  story.submit(wayCommand(story, { kind: 'restore', operation: 'op', position, only }));

type Went = { readonly position: number; readonly decision: Decision };

/** `undo`; null where nothing is left. */
export const undo = (story: Story): Went | null => {
  const target = standsAt(operations(story));
  if (!target || target.name === 'InitHost') return null;
  const position = target.first - 1;
  return {
    position,
    decision: story.submit(wayCommand(story, { kind: 'undo', operation: target.id, position })),
  };
};

/** `redo`; null where nothing is left. */
export const redo = (story: Story): Went | null => {
  const undone = lastUndo(operations(story));
  if (!undone?.restored) return null;
  const position = undone.first - 1;
  const way = { kind: 'redo', operation: undone.restored.operation, position } as const;
  return { position, decision: story.submit(wayCommand(story, way)) };
};
