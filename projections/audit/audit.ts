import type { DomainEvent, Recorded } from '../../domain/event.ts';
import { numberIn, type Projection, perPrefix, type Row, type Sql, textIn } from '../projection.ts';
import { concernsAllHeld, objectsOf } from './objects.ts';

/**
 * Only what the log itself does not answer quickly: which events concern an object. The event, its argv and who asked for
 * it stay where they are; the view puts them together for whoever looks into the ledger with SQL.
 */
const schema = (prefix: string): string => `
  CREATE TABLE ${prefix}audit_entry (
    object   TEXT NOT NULL,    -- VM, VM:VOLUME, pool NAME, global
    position INTEGER NOT NULL, -- the event
    result   TEXT NOT NULL,    -- fact, done, found, failed, refused
    PRIMARY KEY (object, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ${prefix}audit_held (
    command  TEXT NOT NULL,
    object   TEXT NOT NULL,    -- what the command keeps for itself until it is over
    PRIMARY KEY (command, object)
  ) STRICT, WITHOUT ROWID;
  CREATE VIEW IF NOT EXISTS ${prefix}audit_trail AS
    SELECT entry.object, entry.position, events.time, commands.actor, commands.reason, events.command,
      commands.name AS asked, events.type AS what, events.data ->> '$.evidence.argv' AS argv,
      events.data ->> '$.evidence.exitCode' AS exit_code, entry.result
    FROM ${prefix}audit_entry AS entry JOIN events USING (position) LEFT JOIN commands ON commands.id = events.command;
`;

const TEXTS = perPrefix((prefix) => ({
  add: `INSERT INTO ${prefix}audit_entry VALUES (?, ?, ?)`,
  hold: `INSERT INTO ${prefix}audit_held VALUES (?, ?)`,
  held: `SELECT object FROM ${prefix}audit_held WHERE command = ?`,
}));

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

const apply: Projection['apply'] = (sql, prefix, { event, command, position }: Recorded) => {
  const { add, hold, held } = TEXTS(prefix);
  const all = concernsAllHeld(event) ? sql.all(held, command).map((row) => textIn(row, 'object')) : [];
  const result = resultOf(event);
  for (const object of new Set([...objectsOf(event), ...all])) {
    sql.run(add, object, position, result);
    if (event.type === 'CommandAccepted') sql.run(hold, command, object);
  }
};

/** Which events concern which object, and how they went: the index behind `blame`. */
export const auditProjection: Projection = {
  name: 'audit',
  version: 3,
  tables: ['audit_entry', 'audit_held'],
  schema,
  apply,
  onlyGrows: true,
};

export type AuditRow = { readonly object: string; readonly position: number; readonly result: string };

const rowOf = (row: Row): AuditRow => ({
  object: textIn(row, 'object'),
  position: numberIn(row, 'position'),
  result: textIn(row, 'result'),
});

/** The events that concern an object up to a position, oldest first. */
export const auditOf = (sql: Sql, object: string, to = Number.MAX_SAFE_INTEGER): readonly AuditRow[] =>
  sql.all('SELECT * FROM audit_entry WHERE object = ? AND position <= ? ORDER BY position', object, to).map(rowOf);

type Span = { readonly after: number; readonly upTo: number; readonly limit: number };

/** The positions of the newest events that concern an object, after one position and up to another. */
export const newestEntries = (sql: Sql, object: string, { after, upTo, limit }: Span): readonly number[] =>
  sql
    .all(
      'SELECT position FROM audit_entry WHERE object = ? AND position > ? AND position <= ? ORDER BY position DESC LIMIT ?',
      object,
      after,
      upTo,
      limit,
    )
    .map((row) => numberIn(row, 'position'));

/** A VM with what happened to it and its volumes in a span: events, and how many of them were failures. */
export type BusyVm = { readonly vm: string; readonly events: number; readonly failed: number };

const BUSIEST = `SELECT object, count(*) AS events, sum(result IN ('failed', 'refused')) AS failed FROM audit_entry
  WHERE position > ? AND position <= ? AND instr(object, ':') = 0 AND instr(object, ' ') = 0 AND object <> 'global'
  GROUP BY object ORDER BY events DESC, object LIMIT ?`;

/** The VMs with the most events, after one position and up to another. Reads the whole index once. */
export const busiestVms = (sql: Sql, { after, upTo, limit }: Span): readonly BusyVm[] =>
  sql.all(BUSIEST, after, upTo, limit).map((row) => ({
    vm: textIn(row, 'object'),
    events: numberIn(row, 'events'),
    failed: numberIn(row, 'failed'),
  }));
