import type { DomainEvent, Recorded } from '../../domain/event.ts';

/** The VM, volume or pool an event is about. */
const objectsOf = (event: DomainEvent): readonly string[] => {
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  const found = ['vm', 'volume', 'pool', 'object', 'about', 'from', 'disk'].flatMap((name) =>
    typeof fields[name] === 'string' ? [fields[name]] : [],
  );
  return event.type === 'LvmTestified' ? [...found, ...event.volumes] : found;
};

/** Ids and names of disks anywhere in an event: what a search for an LV or a file has to find. */
const mentions = (value: unknown, text: string): boolean => {
  if (typeof value === 'string') return value === text || value.endsWith(`/${text}`);
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).some((item) => mentions(item, text));
};

const held = (event: DomainEvent, object: string): boolean =>
  event.type === 'CommandAccepted' &&
  event.holds.some((hold) => hold.mode === 'write' && (hold.object === object || hold.object.startsWith(`${object}:`)));

/**
 * Whether an event concerns `VM` (with its volumes), `VM:VOLUME`, `cmd:ID`, or a disk by its id or name. A command
 * concerns what it holds for writing.
 */
export const concerns = (object: string): ((recorded: Recorded) => boolean) => {
  if (object.startsWith('cmd:')) {
    const id = object.slice('cmd:'.length);
    return ({ command }) => command === id || (id.length >= 4 && command.startsWith(id));
  }
  const isDisk = object.includes('/') || /^[A-Za-z0-9]{6}-|^file:/.test(object);
  return ({ event }) => {
    if (isDisk) return mentions(event, object);
    return held(event, object) || objectsOf(event).some((one) => one === object || one.startsWith(`${object}:`));
  };
};
