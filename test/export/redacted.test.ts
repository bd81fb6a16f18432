import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECTIONS } from '../../bin/compose.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { writeBundle } from '../../infrastructure/export/write-bundle.ts';
import type { Ledger } from '../../infrastructure/ledger/ledger.ts';
import { readHead } from '../../infrastructure/ledger/ledger.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { firstBreach, replayLog } from '../../infrastructure/service/replay.ts';
import { must, open, temporaryDirectory } from '../ledger/fixture.ts';
import { HISTORIC_BUGS } from '../scenarios/historic-bugs.ts';
import { writeHistory } from '../scenarios/write-history.ts';

const bundleOf = (ledger: Ledger, redact: boolean, after = 0, to = readHead(ledger).position): Ledger => {
  const file = join(temporaryDirectory(), 'bundle.db');
  must(writeBundle(ledger, file, { after, to, redact, projections: PROJECTIONS }, false));
  return open(file, 'read', PROJECTIONS);
};

const replayOf = (ledger: Ledger, to: number) => {
  const { difference, breaches, ...counts } = replayLog(ledger, { after: 0, to }, INVARIANTS);
  return {
    ...counts,
    difference: difference && [difference.position, difference.name],
    breaches: breaches.map((one) => [one.invariant, one.recorded.position]),
  };
};

describe('a redacted bundle of', () => {
  test.each(HISTORIC_BUGS)('$title breaks the same at the same events', ({ history, invariant }) => {
    const ledger = writeHistory(history());
    const bundle = bundleOf(ledger, true);
    expect(verifyLedger(bundle).checks.filter(({ ok }) => !ok)).toEqual([]);
    const to = readHead(ledger).position;
    expect(replayOf(bundle, to)).toEqual(replayOf(ledger, to));
    const wanted = INVARIANTS.filter(({ name }) => name === invariant);
    const found = firstBreach(bundle, { after: 0, to }, wanted);
    expect(found?.recorded.position).toBe(firstBreach(ledger, { after: 0, to }, wanted)?.recorded.position);
    const bytes = readFileSync(bundle.file, 'latin1');
    for (const word of ['work', 'fedora', 'ada']) expect(bytes.includes(word), word).toBe(false);
  });
});
