import { join } from 'node:path';
import { test } from 'vitest';
import { PROJECTIONS } from '../../bin/compose.ts';
import { writeBundle } from '../../infrastructure/export/write-bundle.ts';
import { readHead } from '../../infrastructure/ledger/ledger.ts';
import { replayLog } from '../../infrastructure/service/replay.ts';
import { must, open, temporaryDirectory } from '../ledger/fixture.ts';
import { HISTORIC_BUGS } from '../scenarios/historic-bugs.ts';
import { writeHistory } from '../scenarios/write-history.ts';
test('x', () => {
  for (const bug of HISTORIC_BUGS) {
    const ledger = writeHistory(bug.history());
    const file = join(temporaryDirectory(), 'bundle.db');
    const to = readHead(ledger).position;
    must(writeBundle(ledger, file, { after: 0, to, redact: true, projections: PROJECTIONS }, false));
    const b = open(file, 'read', PROJECTIONS);
    const x = replayLog(b, { after: 0, to }, []).difference;
    const y = replayLog(ledger, { after: 0, to }, []).difference;
    if (x?.position === y?.position) continue;
    const l = (v: unknown, p = ''): string[] => v && typeof v === 'object' ? Object.entries(v).flatMap(([k, w]) => l(w, `${p}.${k}`)) : [`${p}=${String(v)}`];
    const r = new Set(l(x?.recorded)); const d = new Set(l(x?.decided));
    console.log(bug.title, x?.position, [...r].filter(e => !d.has(e)).slice(0, 10), [...d].filter(e => !r.has(e)).slice(0, 10));
  }
});
