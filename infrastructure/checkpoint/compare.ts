import { beginningOf } from '../ledger/beginning.ts';
import type { Head, Ledger } from '../ledger/ledger.ts';
import { readHead, snapshot, statement } from '../ledger/ledger.ts';
import type { Check } from '../ledger/verify.ts';
import type { Checkpoint, Kept, Statement } from './checkpoint.ts';

/** The hash that an event has in the log itself; null where a bundle cannot tell. */
const hashAt = (ledger: Ledger, position: number): string | null => {
  const { about } = beginningOf(ledger);
  if (!about) return storedHash(ledger, position);
  if (position === about.to) return about.head;
  if (about.redacted) return null;
  return position === about.after ? about.base : storedHash(ledger, position);
};

const storedHash = (ledger: Ledger, position: number): string | null =>
  (statement(ledger, 'SELECT lower(hex(hash)) FROM events WHERE position = ?').pluck().get(position) as
    | string
    | undefined) ?? null;

const COMMANDS_UP_TO = 'SELECT seq FROM commands WHERE position <= ? ORDER BY seq DESC LIMIT 1';

const commandsUpTo = (ledger: Ledger, position: number): number =>
  (statement(ledger, COMMANDS_UP_TO).pluck().get(position) as number | undefined) ?? 0;

/** What tells a ledger from any other; null where there is no event, and in a redacted bundle. */
const firstHash = (ledger: Ledger): string | null => {
  const { about } = beginningOf(ledger);
  return about ? about.ledger : storedHash(ledger, 1);
};

/** Which checkpoints a ledger has anything to say about: a bundle only those of its own events. */
const isTold = (ledger: Ledger, { position }: Checkpoint): boolean => {
  const { about } = beginningOf(ledger);
  if (!about) return true;
  return about.redacted ? position === about.to : position >= about.after && position <= about.to;
};

/** What a checkpoint says of the ledger as it stands; null while it is empty. */
export const statementOf = (ledger: Ledger, time: string): Statement | null =>
  snapshot(ledger, () => {
    const { position } = readHead(ledger);
    const first = firstHash(ledger);
    const hash = hashAt(ledger, position) ?? '';
    return first === null ? null : { ledger: first, position, hash, commands: commandsUpTo(ledger, position), time };
  });

type Trouble = { readonly line: number; readonly why: string; readonly position: number | null };
type Signed = Extract<Kept, { is: 'signed' }>;

const WORDS = { rewritten: 'the log was rewritten', cut: 'the log was cut' };

/** Where the checkpoint at `position` contradicts the log, the change lies after the newest one before it that agrees. */
const rewritten = ({ position, time }: Checkpoint, agreed: number): string => {
  const from = agreed + 1;
  const where = from === position ? `ev:${position}` : `an event from ev:${from} to ev:${position}`;
  return `${WORDS.rewritten}: ${where} is not what it was when this was signed (${time})`;
};

const troubleWith = (ledger: Ledger, { line, checkpoint }: Signed, head: Head, agreed: number): Trouble | null => {
  const { position, hash, time, commands } = checkpoint;
  const { about } = beginningOf(ledger);
  if (!about?.redacted && firstHash(ledger) !== checkpoint.ledger) {
    return { line, position: 1, why: 'is of another ledger: its first event is another one' };
  }
  if (position > head.position) {
    const why = `${WORDS.cut}: it ends at ev:${head.position}, and it had ${position} events at ${time}`;
    return { line, position: head.position + 1, why };
  }
  if (hashAt(ledger, position) !== hash) return { line, position, why: rewritten(checkpoint, agreed) };
  const counted = about && about.after > 0 ? commands : commandsUpTo(ledger, position);
  if (counted === commands) return null;
  return { line, position, why: `the command log was changed: at ev:${position} it had ${commands} commands` };
};

const FEW = 10;

const checkOf = ({ line, why, position }: Trouble): Check => ({
  name: `checkpoint ${line}`,
  ok: false,
  detail: position === null ? `line ${line} ${why}` : why,
});

const goodCheck = (signed: readonly Signed[], expectedKey: string | null): Check => {
  const newest = signed.at(-1)?.checkpoint;
  const of = signed.length === 1 ? 'the head' : `all ${signed.length} heads, the newest`;
  const key = expectedKey === null ? 'whose key it is, only --public-key can tell' : 'signed with the key you gave';
  return {
    name: 'checkpoints',
    ok: true,
    detail: `${of} of ev:${newest?.position} (${newest?.time}) is in the log; ${key}`,
  };
};

/** `firstBadPosition` is null where nothing is known against the log itself: a damaged or forged checkpoint says nothing of it. */
export type Compared = { readonly checks: readonly Check[]; readonly firstBadPosition: number | null };

/**
 * Holds kept checkpoints against the log: that it is the same ledger, was not cut, and has the same event at each position.
 * That those events are themselves whole and linked is for `verifyLedger`. `expectedKey`: the only key that counts, null for any.
 */
export const compareCheckpoints = (ledger: Ledger, kept: readonly Kept[], expectedKey: string | null): Compared => {
  try {
    return compared(ledger, kept, expectedKey);
  } catch (error) {
    // A file so damaged that SQLite cannot read it: what verifyLedger found out about that stands beside this.
    const detail = error instanceof Error ? error.message : String(error);
    return { checks: [{ name: 'checkpoints', ok: false, detail }], firstBadPosition: null };
  }
};

/** What counts, by position, and what does not, with its reason. */
const sorted = (
  ledger: Ledger,
  kept: readonly Kept[],
  expectedKey: string | null,
): { readonly signed: readonly Signed[]; readonly troubles: Trouble[] } => {
  const troubles: Trouble[] = [];
  const signed: Signed[] = [];
  for (const one of kept) {
    if (one.is === 'bad') troubles.push({ line: one.line, why: one.why, position: null });
    else if (expectedKey !== null && one.checkpoint.publicKey !== expectedKey)
      troubles.push({ line: one.line, why: 'was signed with another key', position: null });
    else if (isTold(ledger, one.checkpoint)) signed.push(one);
  }
  signed.sort((a, b) => a.checkpoint.position - b.checkpoint.position);
  return { signed, troubles };
};

const compared = (ledger: Ledger, kept: readonly Kept[], expectedKey: string | null): Compared => {
  const head = readHead(ledger);
  const { signed, troubles } = sorted(ledger, kept, expectedKey);
  if (signed.length === 0 && troubles.length === 0) {
    const detail = 'none of them is about the events of this bundle, so nothing was compared';
    return { checks: [{ name: 'checkpoints', ok: false, detail }], firstBadPosition: null };
  }
  let agreed = 0;
  for (const one of signed) {
    const trouble = troubleWith(ledger, one, head, agreed);
    if (trouble) troubles.push(trouble);
    else agreed = one.checkpoint.position;
  }
  const positions = troubles.flatMap(({ position }) => (position === null ? [] : [position]));
  const shown = troubles.slice(0, FEW).map(checkOf);
  const more = { name: 'checkpoints', ok: false, detail: `${troubles.length - FEW} more do not agree with the log` };
  return {
    checks:
      troubles.length === 0 ? [goodCheck(signed, expectedKey)] : [...shown, ...(troubles.length > FEW ? [more] : [])],
    firstBadPosition: positions.length === 0 ? null : Math.min(...positions),
  };
};
