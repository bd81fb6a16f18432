import type { Recorded } from '../../domain/event.ts';
import { copyOfHost } from '../../domain/host/copy-host.ts';
import type { Host } from '../../domain/host/host.ts';
import type { RestoreOperation } from '../../domain/undo/commands.ts';
import { watchContents } from '../../domain/undo/content.ts';
import { type Touched, takeOut } from '../../domain/undo/take-out.ts';
import { type TouchedBy, type WantedText, wantedOf, writeWanted } from '../../domain/undo/wanted.ts';
import { foldTo } from '../ledger/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readOutcome } from '../ledger/outcomes.ts';
import { findCommand } from '../ledger/queries.ts';
import { currentHost } from '../ledger/state.ts';
import type { Service } from './service.ts';

type Reading = Pick<Service, 'ledger' | 'stateAt'>;

/** The commands after a position that made things what they are now; `host` is the state there and is folded on. */
const touchedBy = (ledger: Ledger, host: Host, touched: readonly Touched[]): readonly TouchedBy[] => {
  const seen = touched.map(({ read }) => ({ text: read(host), by: new Set<string>() }));
  const look = ({ command }: Recorded): void => {
    for (const [at, one] of seen.entries()) {
      const text = touched[at]?.read(host) ?? '';
      if (text !== one.text) one.by.add(command);
      one.text = text;
    }
  };
  const vms = new Set(touched.map(({ object }) => `vm/${object.split(':', 1)[0] ?? object}`));
  foldTo(ledger, Number.MAX_SAFE_INTEGER, host, (recorded, key) => {
    if (vms.has(key) || !key.startsWith('vm/')) look(recorded);
  });
  const nameOf = (command: string): string => {
    const found = findCommand(ledger, command);
    return found.ok ? found.value.name : 'a command';
  };
  return touched.map(({ object, aspect }, at) => ({
    object,
    aspect,
    by: [...(seen[at]?.by ?? [])].map((command) => ({ command, name: nameOf(command) })),
  }));
};

/** The present state without one operation, as a past to go back to. */
const withoutOperation = ({ ledger, stateAt }: Reading, { operation, position }: RestoreOperation): WantedText => {
  const now = currentHost(ledger);
  const watch = watchContents();
  const host = stateAt(position);
  const before = copyOfHost(host);
  const last = readOutcome(ledger, operation)?.lastPosition ?? position;
  foldTo(ledger, last, host, (recorded) => watch.follow(host, recorded));
  const after = copyOfHost(host);
  foldTo(ledger, now.position, host, (recorded) => watch.follow(host, recorded));
  const { state, touched } = takeOut({ before, after, now });
  const wanted = wantedOf(state, now, watch.contents());
  if (touched.length === 0) return writeWanted(wanted);
  return writeWanted({ ...wanted, touched: touchedBy(ledger, copyOfHost(after), touched) });
};

/** What a way back gets to see of the past: folds the log on from there, to know what became of each content. */
export const wantedFor = (reading: Reading, way: RestoreOperation): WantedText => {
  if (way.kind === 'revert') return withoutOperation(reading, way);
  const { ledger, stateAt } = reading;
  const now = currentHost(ledger);
  const host = stateAt(way.position);
  const past = { site: host.site, pools: new Map(host.pools), vms: new Map(host.vms) };
  const watch = watchContents();
  foldTo(ledger, now.position, host, (recorded) => watch.follow(host, recorded));
  return writeWanted(wantedOf(past, now, watch.contents()));
};
