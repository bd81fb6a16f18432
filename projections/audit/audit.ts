import type { DomainEvent, Recorded } from '../../domain/event.ts';
import { wordsOf } from '../../domain/words.ts';
import type { Projection, Sql } from '../projection.ts';

const schema = (prefix: string): string => `
  CREATE TABLE ${prefix}audit_entry (
    object    TEXT NOT NULL,    -- VM, VM:VOLUME, pool NAME, global
    position  INTEGER NOT NULL, -- the event
    time      INTEGER NOT NULL, -- epoch milliseconds
    command   TEXT NOT NULL,    -- who and why stand in the table commands
    type      TEXT NOT NULL,
    what      TEXT NOT NULL,    -- one line for people
    argv      TEXT,             -- JSON: the programs a step ran
    exit_code INTEGER,
    result    TEXT NOT NULL,    -- fact, done, found, failed, refused
    PRIMARY KEY (object, position)
  ) STRICT, WITHOUT ROWID;
`;

/** What an event is about. A volume's event is about its VM too. */
const objectOf = (event: DomainEvent): readonly string[] => {
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  const named = [fields['volume'], fields['vm'], fields['object'], fields['from']].find(
    (value) => typeof value === 'string',
  );
  if (typeof fields['pool'] === 'string') return [`pool ${fields['pool']}`];
  if (typeof named !== 'string') return ['global'];
  const colon = named.indexOf(':');
  return colon > 0 ? [named, named.slice(0, colon)] : [named];
};

const resultOf = (event: DomainEvent): string => {
  switch (event.type) {
    case 'StepDone':
      return event.found ? 'found' : 'done';
    case 'StepFailed':
    case 'CommandFailed':
    case 'CommandAbandoned':
      return 'failed';
    case 'CommandRejected':
      return 'refused';
    default:
      return 'fact';
  }
};

/** The course of a command belongs to the objects it keeps others from; a plain step or fact to its own. */
const objectsOf = (event: DomainEvent): readonly string[] => {
  if (event.type === 'CommandAccepted')
    return [...new Set(event.holds.filter(({ mode }) => mode === 'write').map(({ object }) => object))];
  if (event.type.startsWith('Command') || event.type === 'UndoPlanned') return [];
  return objectOf(event);
};

const apply: Projection['apply'] = (sql, prefix, recorded: Recorded) => {
  const { event } = recorded;
  const evidence = event.type === 'StepDone' || event.type === 'StepFailed' ? event.evidence : null;
  for (const object of objectsOf(event)) {
    sql.run(
      `INSERT INTO ${prefix}audit_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      object,
      recorded.position,
      recorded.time,
      recorded.command,
      event.type,
      wordsOf(event),
      evidence && evidence.argv.length > 0 ? JSON.stringify(evidence.argv) : null,
      evidence?.exitCode ?? null,
      resultOf(event),
    );
  }
};

/** Who did what to which object, with what, to what end: the index behind `log OBJECT` and `blame`. */
export const auditProjection: Projection = { name: 'audit', version: 1, tables: ['audit_entry'], schema, apply };

export type AuditRow = {
  readonly object: string;
  readonly position: number;
  readonly time: number;
  readonly command: string;
  readonly type: string;
  readonly what: string;
  readonly argv: string | null;
  readonly exit_code: number | null;
  readonly result: string;
};

/** What happened to an object up to a position, oldest first. */
export const auditOf = (sql: Sql, object: string, to = Number.MAX_SAFE_INTEGER): readonly AuditRow[] =>
  sql.all(
    'SELECT * FROM audit_entry WHERE object = ? AND position <= ? ORDER BY position',
    object,
    to,
  ) as unknown as readonly AuditRow[];
