import { describe, expect, test } from 'vitest';
import { emptyHost, evolve, type Host } from '../../domain/host/host.ts';
import { waypointBefore, waypointsEvery } from '../../projections/waypoints/waypoints.ts';
import * as to from '../domain/commands.ts';
import { wideHost } from '../domain/hosts.ts';
import { tablesAfter } from './tables.ts';

const STRIDE = 7;

const known = { object: 'qubes.xml', about: null, problem: 'edited', fingerprint: 'f' };
const { log } = wideHost().after(
  to.start('work'),
  to.ignoreDrift('it was me', known),
  to.stop('work'),
  to.removeVm('work'),
);

const folded = (host: Host, upTo: number): Host => {
  for (const recorded of log.slice(host.position, upTo)) evolve(host, recorded);
  return host;
};

describe('waypoints', () => {
  const { sql, rows } = tablesAfter(waypointsEvery(STRIDE), log);

  test('a state folded on from one is the state folded from the first event, at every position', () => {
    expect(log.length).toBeGreaterThan(5 * STRIDE);
    for (let position = 0; position <= log.length; position++) {
      const host = waypointBefore(sql, position);
      expect(position - host.position).toBeLessThan(STRIDE);
      expect(folded(host, position)).toEqual(folded(emptyHost(), position));
    }
  });

  test('before the first there is nothing, and a short log has none', () => {
    expect(waypointBefore(sql, STRIDE - 1)).toEqual(emptyHost());
    expect(tablesAfter(waypointsEvery(log.length + 1), log).rows('waypoints_value')).toEqual([]);
    expect(rows('waypoints_value')).not.toEqual([]);
  });
});
