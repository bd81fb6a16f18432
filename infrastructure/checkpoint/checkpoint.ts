import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as z from 'zod';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

/** docs/format.md, "A signed head" */
const FORMAT = 'domtrail/head/1';

const hashText = z.string().regex(/^[0-9a-f]{64}$/);
const positive = z.int().min(1);

const schema = z.strictObject({
  format: z.literal(FORMAT),
  ledger: hashText,
  position: positive,
  hash: hashText,
  commands: z.int().min(0),
  time: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  publicKey: z.string().regex(/^[A-Za-z0-9+/]{1,100}={0,2}$/),
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
});

/**
 * A head of a ledger, signed. `ledger` is the hash of its first event; `hash` that of the event at `position`; `commands`
 * how many were received up to there; `time` when it was signed (RFC 3339, UTC); `publicKey` DER (SPKI), base64.
 */
export type Checkpoint = z.infer<typeof schema>;
export type Statement = Pick<Checkpoint, 'ledger' | 'position' | 'hash' | 'commands' | 'time'>;

/** The public half of a key of either kind, as a checkpoint carries it. */
export const publicKeyText = (key: KeyObject): string => {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ type: 'spki', format: 'der' }).toString('base64');
};

const signedBytes = (checkpoint: Omit<Checkpoint, 'signature'>): Buffer =>
  Buffer.from(canonicalJson({ ...checkpoint, signature: undefined }), 'utf8');

/** Signs with an Ed25519 private key. */
export const signCheckpoint = (statement: Statement, key: KeyObject): Checkpoint => {
  const unsigned = { format: FORMAT, ...statement, publicKey: publicKeyText(key) } as const;
  return { ...unsigned, signature: sign(null, signedBytes(unsigned), key).toString('base64') };
};

/** One line: canonical JSON, the form that is kept. */
export const checkpointLine = (checkpoint: Checkpoint): string => `${canonicalJson(checkpoint)}\n`;

const isSigned = (checkpoint: Checkpoint): boolean => {
  try {
    const der = Buffer.from(checkpoint.publicKey, 'base64');
    const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
    const signature = Buffer.from(checkpoint.signature, 'base64');
    // Base64 has spare bits at its end: one signature, one text.
    const isExact = signature.toString('base64') === checkpoint.signature;
    return isExact && key.asymmetricKeyType === 'ed25519' && verify(null, signedBytes(checkpoint), key, signature);
  } catch {
    // No key at all: whatever it says, nobody signed it.
    return false;
  }
};

/** What one line of a file of checkpoints turned out to be. */
export type Kept =
  | { readonly is: 'signed'; readonly line: number; readonly checkpoint: Checkpoint }
  | { readonly is: 'bad'; readonly line: number; readonly why: string };

const parsed = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    // The document that `checkpoint --json` prints has it as its item.
    return typeof value === 'object' && value !== null && 'item' in value ? value.item : value;
  } catch {
    return null;
  }
};

const keptOf = (text: string, line: number): Kept => {
  const checked = schema.safeParse(parsed(text));
  if (!checked.success) return { is: 'bad', line, why: 'is not a checkpoint, or it is damaged' };
  return isSigned(checked.data)
    ? { is: 'signed', line, checkpoint: checked.data }
    : {
        is: 'bad',
        line,
        why: `was changed or forged: its signature does not hold (it names ev:${checked.data.position})`,
      };
};

/**
 * Every checkpoint in a file with one a line; blank lines count for nothing. Errors: D_BAD_INPUT when there is none, because
 * comparing with nothing would prove nothing.
 */
export const parseCheckpoints = (text: string): Result<readonly Kept[], Failure> => {
  const lines = text.split('\n').map((line, index) => [line.trim(), index + 1] as const);
  const kept = lines.flatMap(([line, number]) => (line === '' ? [] : [keptOf(line, number)]));
  return kept.length > 0 ? ok(kept) : err(failure('D_BAD_INPUT', 'the file of checkpoints is empty'));
};
