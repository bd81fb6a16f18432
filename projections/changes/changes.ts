import type { Recorded } from '../../domain/event.ts';
import type { Host } from '../../domain/host/host.ts';
import { type Objects, objectsAt } from './aspects.ts';

/** One aspect of one object that differs between two points: `null` on the side where it is not there. */
export type Change = {
  readonly object: string;
  readonly aspect: string;
  readonly before: string | null;
  readonly after: string | null;
  /** the last event between the two points that changed it, and the command that the event belongs to */
  readonly position: number;
  readonly command: string;
};

type Seen = { before: string | null; after: string | null; position: number; command: string };

export type Watch = {
  /** To be told of every event after the first point, with the value of the state that it changed. */
  readonly onlooker: (recorded: Recorded, entity: string) => void;
  readonly changes: () => readonly Change[];
  /** whether there was such an object at any point that was watched */
  readonly knows: (object: string) => boolean;
};

const differencesOf = (before: Objects, after: Objects) =>
  [...new Set([...before.keys(), ...after.keys()])].flatMap((object) => {
    const [was, is] = [before.get(object), after.get(object)];
    return [...new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])].flatMap((aspect) => {
      const change = { object, aspect, before: was?.get(aspect) ?? null, after: is?.get(aspect) ?? null };
      return change.before === change.after ? [] : [change];
    });
  });

const byObject = (a: Change, b: Change): number => {
  if (a.object === b.object) return a.position - b.position;
  return a.object < b.object ? -1 : 1;
};

/** Watches a fold from where `host` stands now and tells afterwards what came of it, without what was changed back. */
export const watch = (host: Host): Watch => {
  const entities = new Map<string, Objects>();
  const known = (entity: string): Objects => entities.get(entity) ?? new Map();
  for (const name of host.vms.keys()) entities.set(`vm/${name}`, objectsAt(host, `vm/${name}`));
  for (const name of host.pools.keys()) entities.set(`pool/${name}`, objectsAt(host, `pool/${name}`));
  entities.set('site', objectsAt(host, 'site'));
  const seen = new Map<string, Map<string, Seen>>();
  return {
    onlooker: ({ position, command }, entity) => {
      const now = objectsAt(host, entity);
      for (const { object, aspect, before, after } of differencesOf(known(entity), now)) {
        const aspects = seen.get(object) ?? new Map<string, Seen>();
        seen.set(object, aspects);
        aspects.set(aspect, {
          before: aspects.has(aspect) ? (aspects.get(aspect)?.before ?? null) : before,
          after,
          position,
          command,
        });
      }
      entities.set(entity, now);
    },
    knows: (object) => seen.has(object) || [...entities.values()].some((objects) => objects.has(object)),
    changes: () =>
      [...seen]
        .flatMap(([object, aspects]) => [...aspects].map(([aspect, one]) => ({ object, aspect, ...one })))
        .filter(({ before, after }) => before !== after)
        .sort(byObject),
  };
};
