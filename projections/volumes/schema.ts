/** One row per volume as it is, and one per disk there ever was. A disk's row stays when the disk, its volume and its VM are gone. */
export const volumesSchema = (prefix: string): string => `
  CREATE TABLE ${prefix}volumes_volume (
    volume            TEXT PRIMARY KEY, -- VM:VOLUME
    pool              TEXT NOT NULL,
    vid               TEXT NOT NULL,
    situation         TEXT NOT NULL,    -- absent, clean, running, scratch, direct, dirty
    bytes             INTEGER NOT NULL,
    current_disk      TEXT,
    session_disk      TEXT,
    revisions         INTEGER NOT NULL,
    revisions_to_keep INTEGER NOT NULL,
    position          INTEGER NOT NULL  -- of the last event that changed it
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ${prefix}volumes_disk (
    disk      TEXT PRIMARY KEY,         -- LV UUID, or inode and birth time
    volume    TEXT NOT NULL,            -- the volume it belongs or belonged to
    role      TEXT NOT NULL,            -- current, session, scratch, direct, revision, trash, gone
    revision  TEXT,                     -- its id as a revision; stays when it is retired
    pinned    INTEGER NOT NULL,
    origin    TEXT,                     -- the disk whose content it goes on from, where the log knows
    source    TEXT,                     -- what it was imported or cloned from, or reverted to
    bytes     INTEGER NOT NULL,
    how       TEXT NOT NULL,            -- the event type that brought it in
    command   TEXT NOT NULL,            -- the command that made it
    made      INTEGER NOT NULL,         -- position of that event
    committed INTEGER,                  -- position from which on it was a committed state
    changed   INTEGER NOT NULL,         -- position of the last change of role, size or pin
    why       TEXT,                     -- why it was thrown away
    gone      INTEGER                   -- position of its end
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ${prefix}volumes_disk_by_volume ON ${prefix}volumes_disk (volume, made);
`;
