import type { Failure } from '../failure.ts';
import type { Loss } from '../host/events.ts';
import { emptyHost, type Host } from '../host/host.ts';
import { ok, type Result } from '../result.ts';
import type { Document } from './commands.ts';
import { loadDomains } from './domains.ts';
import { inOrder, type Loading } from './draft.ts';
import { loadExtras } from './extras.ts';
import { mend } from './fixups.ts';
import { loadLabels, loadPools } from './labels-pools.ts';
import { migrateDocument } from './migrations.ts';
import { loadGlobals, loadLate } from './references.ts';
import { emptyShelf } from './shelf.ts';
import { loadVolumes, shelveVolumes } from './volumes.ts';

type LoadedHost = { readonly host: Host; readonly lost: readonly Loss[] };

/**
 * The host that stock would have after loading a document, by its stages and rules (spec: qubes-xml A.2 to A.6), and what
 * it would silently drop on the way. D_DOCUMENT_REFUSED where stock would not load it, or could not save it again.
 * `uuid` is for VMs without one.
 */
export const loadDocument = (document: Document, uuid: string): Result<LoadedHost, Failure> => {
  const loading: Loading = { host: emptyHost(), drafts: new Map(), lost: [], uuid };
  for (const load of [loadLabels, loadPools, loadDomains]) {
    const loaded = load(loading, document);
    if (!loaded.ok) return loaded;
  }
  const globals = migrateDocument(loading, document);
  if (!globals.ok) return globals;
  const third = loadGlobals(loading, globals.value);
  if (!third.ok) return third;
  const drafts = inOrder(loading);
  for (const draft of drafts) {
    for (const load of [loadLate, loadExtras]) {
      const loaded = load(loading, draft);
      if (!loaded.ok) return loaded;
    }
  }
  const shelf = emptyShelf();
  for (const draft of drafts) {
    const loaded = loadVolumes(loading, shelf, draft);
    if (!loaded.ok) return loaded;
  }
  const mended = mend(loading, drafts);
  if (!mended.ok) return mended;
  shelveVolumes(loading, shelf);
  return ok({ host: loading.host, lost: loading.lost });
};
