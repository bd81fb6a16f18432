import ledger from './0001-ledger.sql';

/** The schema's history: `user_version` n means that the first n of these have run. */
export const MIGRATIONS: readonly string[] = [ledger];

/** "dtrl": marks the file as a ledger of ours (SQLite's application_id). */
export const APPLICATION_ID = 0x6474_726c;
