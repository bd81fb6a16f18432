import { ok } from '../result.ts';
import { encodeGlobalProperty, encodeVmProperty } from '../vm/property-rules.ts';
import { FORBIDDEN_GLOBALS, globalProperty, LATE_PROPERTIES } from '../vm/property-table.ts';
import type { DocumentEntry } from './commands.ts';
import { type Draft, type Loaded, type Loading, quoted, refuse, refused, setProperty, vmOf } from './draft.ts';

/** Stage 3. Stock drops global properties that it does not know: so do we, aloud. */
export const loadGlobals = (loading: Loading, entries: readonly DocumentEntry[]): Loaded => {
  const where = 'global properties';
  const properties: Record<string, string> = {};
  for (const { name, text } of entries) {
    if (name === null || globalProperty(name) === null) {
      if (name !== null && FORBIDDEN_GLOBALS.has(name)) return refuse(where, `${name} cannot be loaded`);
      const what = `property ${name ?? 'without a name'}`;
      loading.lost.push({ object: where, what, text: text ?? '', why: 'there is no such global property' });
      continue;
    }
    const encoded = encodeGlobalProperty(loading.host, name, text);
    if (!encoded.ok) return refused(where, encoded.error);
    properties[name] = encoded.value;
  }
  loading.host.site = { labels: loading.host.site?.labels ?? [], properties };
  return ok(null);
};

/** Stage 4a: what refers to other VMs. */
export const loadLate = (loading: Loading, draft: Draft): Loaded => {
  const where = `VM ${quoted(draft.name)}`;
  for (const { name, text } of draft.element?.properties ?? []) {
    if (name === null || !LATE_PROPERTIES.has(name)) continue;
    const encoded = encodeVmProperty(loading.host, vmOf(loading, draft), name, text);
    if (!encoded.ok) return refused(where, encoded.error);
    setProperty(loading, draft, name, encoded.value);
  }
  const { class: vmClass, properties } = vmOf(loading, draft);
  const needsTemplate = vmClass === 'AppVM' || vmClass === 'DispVM';
  return needsTemplate && !properties['template'] ? refuse(where, 'it has no template') : ok(null);
};
