import { emptyHost, entityKeysOf, entityOf, type Host, restoreEntity, STATE_VERSION } from '../../domain/host/host.ts';
import { numberIn, type Projection, perPrefix, type Sql, textIn } from '../projection.ts';

const schema = (prefix: string): string => `
  CREATE TABLE ${prefix}waypoints_value (
    position INTEGER NOT NULL, -- of the event after which the state was this
    key      TEXT NOT NULL,    -- vm/NAME, pool/NAME, operation/ID, trash/DISK, site
    state    TEXT NOT NULL,    -- JSON
    PRIMARY KEY (position, key)
  ) STRICT;
`;

const TEXTS = perPrefix((prefix) => ({ add: `INSERT INTO ${prefix}waypoints_value VALUES (?, ?, ?)` }));

const applyEvery =
  (stride: number): Projection['apply'] =>
  (sql, prefix, { position }, host) => {
    if (position % stride !== 0) return;
    const { add } = TEXTS(prefix);
    for (const key of entityKeysOf(host)) sql.run(add, position, key, JSON.stringify(entityOf(host, key)));
  };

/** The whole state every so many events, so that a look into the past need not fold the log from its beginning. */
export const waypointsEvery = (stride: number): Projection => ({
  name: 'waypoints',
  // A state that `evolve` makes otherwise today is another one at every waypoint.
  version: STATE_VERSION,
  tables: ['waypoints_value'],
  schema,
  apply: applyEvery(stride),
});

/** Between two of them lies half a second of folding; for a million events of 500 VMs they take some ten megabytes. */
export const waypointsProjection = waypointsEvery(2 ** 17);

const LAST = 'SELECT max(position) AS position FROM waypoints_value WHERE position <= ?';

/** The state at the last waypoint at or before a position; an empty one where there is none. */
export const waypointBefore = (sql: Sql, position: number): Host => {
  const host = emptyHost();
  const [last] = sql.all(LAST, position);
  if (!last || last['position'] === null) return host;
  host.position = numberIn(last, 'position');
  for (const row of sql.all('SELECT key, state FROM waypoints_value WHERE position = ? ORDER BY key', host.position)) {
    restoreEntity(host, textIn(row, 'key'), JSON.parse(textIn(row, 'state')));
  }
  return host;
};
