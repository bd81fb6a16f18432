import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type DocumentEdits, documentEdits } from './document-edits.ts';
import { DOCUMENT, lookAtDocument } from './document-look.ts';
import type { Offered } from './drift.ts';
import type { Home } from './home.ts';

type Where = {
  readonly host: Host;
  readonly ledger: Ledger;
  readonly home: Home;
  readonly render: (host: Host) => Result<string, Failure>;
};

/** Somebody else's qubes.xml. `digest` null: there is no file. */
export type ForeignDocument = DocumentEdits & { readonly digest: string | null };

/** What lies where qubes.xml belongs and is not ours; null when it is ours, or has exactly what the log says. */
export const foreignDocument = ({ host, ledger, home, render }: Where): Result<ForeignDocument | null, Failure> => {
  const look = lookAtDocument(ledger, home.qubesXml);
  if (look.is === 'missing') return ok({ digest: null, edits: [], beyond: [] });
  if (look.is !== 'foreign') return ok(null);
  const ours = render(host);
  if (!ours.ok) return ours;
  if (look.bytes.equals(Buffer.from(ours.value, 'utf8'))) return ok(null);
  return ok({ digest: look.digest, ...documentEdits(host, ours.value, look.bytes) });
};

const REPAIR = `domtrail drift repair ${DOCUMENT}`;

const problemOf = ({ edits, beyond }: ForeignDocument): string => {
  const count = edits.length + beyond.length;
  if (count === 0) return 'somebody else wrote it: it says the same in another form';
  return `somebody else changed it: ${count} ${count === 1 ? 'thing is' : 'things are'} otherwise`;
};

const item = (kind: string, problem: string): Omit<Offered, 'fingerprint' | 'adopt'> => ({
  object: DOCUMENT,
  kind: 'document',
  position: null,
  problem,
  difference: kind,
  name: DOCUMENT,
  about: null,
  repair: REPAIR,
});

/** How qubes.xml differs from what the log gives. Edits can be taken over when all of them can. */
export const documentDrift = (where: Where): Result<readonly Offered[], Failure> => {
  const found = foreignDocument(where);
  if (!found.ok) return found;
  const document = found.value;
  if (!document) return ok([]);
  if (document.digest === null) return ok([{ ...item('missing', 'it is missing'), fingerprint: '', adopt: null }]);
  const { edits, beyond } = document;
  const details = [
    ...edits.map(({ words }) => words),
    ...beyond.map((words) => `${words} (adopt cannot take that over)`),
  ];
  const adopt = edits.length > 0 && beyond.length === 0 ? `domtrail drift adopt ${DOCUMENT}` : null;
  return ok([{ ...item('edited', problemOf(document)), fingerprint: document.digest, adopt, details }]);
};
