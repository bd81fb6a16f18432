import type { DomainEvent, Recorded } from '../domain/event.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Reading } from './compose.ts';
import { eventsAbout } from './log-events.ts';

/** One thing that was set, and the event that made it what it is; null: nobody ever did. */
export type Blamed = { readonly what: string; readonly value: string | null; readonly recorded: Recorded | null };

type Value = { readonly value: string | null };

const valueIn = (values: Readonly<Record<string, string>>, name: string): Value | null => {
  const value = values[name];
  return value === undefined ? null : { value };
};

const property = (event: DomainEvent, name: string): Value | null => {
  switch (event.type) {
    case 'PropertySet':
    case 'GlobalPropertySet':
      return event.name === name ? { value: event.value } : null;
    case 'VmCreated':
    case 'HostInitialised':
      return valueIn(event.properties, name);
    default:
      return null;
  }
};

const feature = (event: DomainEvent, name: string): Value | null => {
  if (event.type === 'FeatureSet') return event.name === name ? { value: event.value } : null;
  return event.type === 'VmCreated' ? valueIn(event.features, name) : null;
};

const tag = (event: DomainEvent, name: string): Value | null => {
  if (event.type === 'TagSet') return event.name === name ? { value: event.present ? 'present' : null } : null;
  return event.type === 'VmCreated' && event.tags.includes(name) ? { value: 'present' } : null;
};

/** Names as qubes.xml has them. */
const OF_VOLUME: Readonly<Record<string, string>> = {
  revisions_to_keep: 'revisionsToKeep',
  rw: 'rw',
  ephemeral: 'ephemeral',
  size: 'bytes',
};

const ofVolume = (event: DomainEvent, name: string): Value | null => {
  if (event.type === 'VolumeResized') return name === 'bytes' ? { value: String(event.bytes) } : null;
  const values: object = event.type === 'VolumeChanged' ? event.change : event.type === 'VolumeAdded' ? event.spec : {};
  const value = (values as Readonly<Record<string, unknown>>)[name];
  return value === undefined
    ? null
    : { value: typeof value === 'object' ? JSON.stringify(value) : `${value as string | number | boolean}` };
};

type Given = (event: DomainEvent) => Value | null;

/** How an event gives the setting; null: there is no such setting. */
const givenBy = (object: string, aspect: string): Given | null => {
  if (object.includes(':')) {
    const name = OF_VOLUME[aspect];
    return name === undefined ? null : (event) => ofVolume(event, name);
  }
  if (aspect.startsWith('feature:')) return (event) => feature(event, aspect.slice('feature:'.length));
  if (aspect.startsWith('tag:')) return (event) => tag(event, aspect.slice('tag:'.length));
  return (event) => property(event, aspect);
};

/** Events of a VM's volumes concern the VM, too, and those of a clone its source: only its own settings count. */
const isAbout = (event: DomainEvent, object: string): boolean => {
  if ('volume' in event) return event.volume === object;
  if ('vm' in event) return event.vm === object || object.startsWith(`${event.vm}:`);
  return object === 'global';
};

/** A VM's volumes are described by the event that created it. */
const specIn = (event: DomainEvent, object: string): DomainEvent => {
  const spec = event.type === 'VmCreated' ? event.volumes.find(({ key }) => key === object) : undefined;
  return spec ? { type: 'VolumeAdded', volume: spec.key, spec } : event;
};

/** The newest event that gave a setting its value; for one that nobody ever set, the one that created the VM. */
export const blameSetting = (reading: Reading, object: string, aspect: string): Result<Blamed, Failure> => {
  const given = givenBy(object, aspect);
  if (!given) {
    const settings = Object.keys(OF_VOLUME).join(', ');
    return err(failure('D_NOT_FOUND', `a volume has no ${aspect}`, { next: `domtrail blame ${object} ${settings}` }));
  }
  const entries = eventsAbout(reading, object, { after: 0, upTo: reading.asOf.position });
  if (!entries.ok) return entries;
  for (const { recorded } of entries.value) {
    if (!isAbout(recorded.event, object)) continue;
    const value = given(specIn(recorded.event, object));
    if (value) return ok({ what: aspect, value: value.value, recorded });
    if (recorded.event.type === 'VmCreated') return ok({ what: aspect, value: null, recorded });
  }
  return ok({ what: aspect, value: null, recorded: null });
};
