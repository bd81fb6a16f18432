import type { Recorded } from '../../domain/event.ts';
import { emptyHost, evolve, type Host } from '../../domain/host/host.ts';
import { memoryConnection } from '../../infrastructure/ledger/connection.ts';
import { sqlOf } from '../../infrastructure/ledger/ledger.ts';
import type { Projection, Row, Sql } from '../../projections/projection.ts';

export type Tables = { readonly sql: Sql; readonly host: Host; readonly rows: (table: string) => readonly Row[] };

/** A projection's tables after a log, in a database in memory. */
export const tablesAfter = (projection: Projection, log: readonly Recorded[], prefix = ''): Tables => {
  const db = memoryConnection();
  db.exec(projection.schema(prefix));
  const sql = sqlOf(db);
  const host = emptyHost();
  for (const recorded of log) {
    evolve(host, recorded);
    projection.apply(sql, prefix, recorded, host);
  }
  return { sql, host, rows: (table) => sql.all(`SELECT * FROM ${prefix}${table} ORDER BY 1, 2`) };
};
