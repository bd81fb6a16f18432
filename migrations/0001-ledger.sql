-- The ledger, version 1. docs/format.md explains the rows and the hashes.

CREATE TABLE commands (
  seq            INTEGER PRIMARY KEY,   -- order of receipt, from 1
  id             TEXT NOT NULL UNIQUE CHECK (instr(id, char(10)) = 0),   -- also the dedupe key
  name           TEXT NOT NULL CHECK (instr(name, char(10)) = 0),        -- CreateVM, StartVM ...
  schema_version INTEGER NOT NULL CHECK (schema_version > 0),
  payload        TEXT NOT NULL CHECK (json_valid(payload)),
  payload_hash   BLOB NOT NULL CHECK (length(payload_hash) = 32),
  -- a line feed in the next and in the context could make two rows hash alike: docs/format.md
  actor          TEXT NOT NULL CHECK (json_valid(actor) AND instr(actor, char(10)) = 0),      -- who, from where, with which tool and arguments
  reason         TEXT,                  -- -m
  context        TEXT NOT NULL CHECK (json_valid(context) AND instr(context, char(10)) = 0),  -- what the decision was given besides state and payload
  received_at    INTEGER NOT NULL,      -- epoch milliseconds
  position       INTEGER NOT NULL CHECK (position > 0),      -- of the decision's first event; not part of the digest
  digest         BLOB NOT NULL CHECK (length(digest) = 32)   -- of this row; repeated in the decision's first event
) STRICT;

CREATE TABLE events (
  position       INTEGER PRIMARY KEY,   -- global, gapless, from 1
  -- a line feed in these could make two rows hash alike: docs/format.md
  stream         TEXT NOT NULL CHECK (instr(stream, char(10)) = 0),      -- command/ID, vm/NAME, volume/VM:VOLUME, pool/NAME, host
  version        INTEGER NOT NULL CHECK (version > 0),         -- gapless inside the stream, from 1
  type           TEXT NOT NULL CHECK (instr(type, char(10)) = 0),
  schema_version INTEGER NOT NULL CHECK (schema_version > 0),  -- of this type's data; upcasters lift older ones
  command        TEXT NOT NULL CHECK (instr(command, char(10)) = 0),     -- the command that caused it
  time           INTEGER NOT NULL,      -- epoch milliseconds, when it was recorded
  data           TEXT NOT NULL CHECK (json_valid(data)),       -- the event without its type
  data_hash      BLOB NOT NULL CHECK (length(data_hash) = 32), -- sha256 of the bytes of data
  prev_hash      BLOB NOT NULL CHECK (length(prev_hash) = 32), -- hash of the event before; 32 zero bytes for the first
  hash           BLOB NOT NULL CHECK (length(hash) = 32),      -- sha256 over the previous hash and all of the above
  UNIQUE (stream, version)
) STRICT;

-- INSERT OR REPLACE removes the old row without asking the triggers for DELETE (unless recursive_triggers is on, and it is
-- off in every tool that is not ours), so a row may only ever be added after the last one.
CREATE TRIGGER commands_are_only_added BEFORE INSERT ON commands
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM commands) OR EXISTS (SELECT 1 FROM commands WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the command log is append-only'); END;
CREATE TRIGGER events_are_only_added BEFORE INSERT ON events
WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM events)
  OR NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1 FROM events WHERE stream = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER commands_are_never_changed BEFORE UPDATE ON commands
BEGIN SELECT RAISE(ABORT, 'the command log is append-only'); END;
CREATE TRIGGER commands_are_never_removed BEFORE DELETE ON commands
BEGIN SELECT RAISE(ABORT, 'the command log is append-only'); END;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;

-- Everything below can be made again from the log.

-- The state as it was at the checkpoint 'state'; the events after it are folded in by whoever reads.
CREATE TABLE entities (
  key      TEXT PRIMARY KEY,            -- vm/NAME, pool/NAME, operation/ID, trash/DISK, site
  position INTEGER NOT NULL,            -- of the event that changed it last
  state    TEXT NOT NULL                -- JSON
) STRICT;                               -- with a rowid: a VM's JSON would overflow the pages of an index tree

-- How the commands with steps stand. What was rejected, or done as soon as it was decided, is told by its first event.
CREATE TABLE outcomes (
  command        TEXT PRIMARY KEY,      -- its events lie between the two positions; an index on events would cost more
                                        -- with every event than reading past the few of others that lie there, too
  outcome        TEXT NOT NULL CHECK (outcome IN ('accepted', 'rejected', 'completed', 'failed', 'abandoned')),
  error          TEXT,                  -- the failure as JSON
  first_position INTEGER NOT NULL,
  last_position  INTEGER NOT NULL,
  finished_at    INTEGER                -- epoch milliseconds; null while open
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
  name     TEXT PRIMARY KEY,            -- 'log' (the newest event), 'state', and one row per projection
  version  INTEGER NOT NULL,            -- of the code that folded; another one means: fold again
  position INTEGER,                     -- of the last event folded in; null: the newest. Whoever appends without keeping
                                        -- that one in step writes a number here first
  digest   TEXT                         -- sha256 of what was written, for projections that live in files
) STRICT, WITHOUT ROWID;

-- One writer at a time. The token grows with every holder, so that one that was taken for dead cannot write any more.
CREATE TABLE lease (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  token      INTEGER NOT NULL,
  pid        INTEGER,                   -- null: nobody holds it
  start_time TEXT,                      -- of that process, in clock ticks since boot: pids are reused
  boot_id    TEXT,
  command    TEXT                       -- what it is held for
) STRICT;
INSERT INTO lease (one, token) VALUES (1, 0);
