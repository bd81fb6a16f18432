import { type Ledger, statement } from './ledger.ts';

/** The boot of the host under which the newest command was received; null before the first. */
export const lastBoot = (ledger: Ledger): string | null => {
  const sql = "SELECT json_extract(context, '$.bootId') AS boot FROM commands ORDER BY seq DESC LIMIT 1";
  const row = statement(ledger, sql).get() as { readonly boot: string | null } | undefined;
  return row?.boot ?? null;
};
