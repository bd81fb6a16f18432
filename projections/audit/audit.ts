import type { DomainEvent, Recorded } from '../../domain/event.ts';
import { wordsOf } from '../../domain/words.ts';
import {
  numberIn,
  numberOrNullIn,
  type Projection,
  perPrefix,
  type Row,
  type Sql,
  textIn,
  textOrNullIn,
} from '../projection.ts';
import { concernsAllHeld, objectsOf } from './objects.ts';

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
  CREATE INDEX ${prefix}audit_entry_accepted ON ${prefix}audit_entry (command) WHERE type = 'CommandAccepted';
`;

const TEXTS = perPrefix((prefix) => ({
  add: `INSERT INTO ${prefix}audit_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  held: `SELECT object FROM ${prefix}audit_entry WHERE command = ? AND type = 'CommandAccepted'`,
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

const apply: Projection['apply'] = (sql, prefix, { event, command, position, time }: Recorded) => {
  const { add, held } = TEXTS(prefix);
  const all = concernsAllHeld(event) ? sql.all(held, command).map((row) => textIn(row, 'object')) : [];
  const objects = new Set([...objectsOf(event), ...all]);
  if (objects.size === 0) return;
  const evidence = event.type === 'StepDone' || event.type === 'StepFailed' ? event.evidence : null;
  const argv = evidence && evidence.argv.length > 0 ? JSON.stringify(evidence.argv) : null;
  const what = wordsOf(event);
  const result = resultOf(event);
  for (const object of objects) {
    sql.run(add, object, position, time, command, event.type, what, argv, evidence?.exitCode ?? null, result);
  }
};

/** Who did what to which object, with what, to what end: the index behind `blame`. Raise the version when words change. */
export const auditProjection: Projection = { name: 'audit', version: 2, tables: ['audit_entry'], schema, apply };

export type AuditRow = {
  readonly object: string;
  readonly position: number;
  readonly time: number;
  readonly command: string;
  readonly type: string;
  readonly what: string;
  /** the programs a step ran, as JSON */
  readonly argv: string | null;
  readonly exitCode: number | null;
  readonly result: string;
};

const rowOf = (row: Row): AuditRow => ({
  object: textIn(row, 'object'),
  position: numberIn(row, 'position'),
  time: numberIn(row, 'time'),
  command: textIn(row, 'command'),
  type: textIn(row, 'type'),
  what: textIn(row, 'what'),
  argv: textOrNullIn(row, 'argv'),
  exitCode: numberOrNullIn(row, 'exit_code'),
  result: textIn(row, 'result'),
});

/** What happened to an object up to a position, oldest first. */
export const auditOf = (sql: Sql, object: string, to = Number.MAX_SAFE_INTEGER): readonly AuditRow[] =>
  sql
    .all('SELECT * FROM audit_entry WHERE object = ? AND position <= ? ORDER BY position', object, to)
    .map(rowOf);
