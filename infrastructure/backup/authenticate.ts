import { createHmac, getHashes, timingSafeEqual } from 'node:crypto';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { BadContainer, type DeriveKey, openContainer } from './scrypt-container.ts';

/** How a backup is authenticated: with scrypt containers (format 4), or an HMAC beside each chunk (formats 2 and 3). */
export type Authentication = { readonly by: 'scrypt' } | { readonly by: 'hmac'; readonly digest: string };

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const opensTo = async (hmac: Buffer, header: Buffer, passphrase: string, derive?: DeriveKey): Promise<boolean> => {
  try {
    const pieces: Buffer[] = [];
    for await (const piece of openContainer(once(hmac), hmac.length, `backup-header!${passphrase}`, derive))
      pieces.push(piece);
    return Buffer.concat(pieces).equals(header);
  } catch (error) {
    if (error instanceof BadContainer) return false;
    throw error;
  }
};

/** The digest in the text that `openssl dgst -hmac` prints, whatever its version puts before it. */
export const digestIn = (text: string): Buffer | null => {
  const found = /^[^\n]{0,200}=\s*([0-9a-f]{32,128})\s*$/.exec(text);
  return found ? Buffer.from(found[1] ?? '', 'hex') : null;
};

/** The digest is not known before the header is believed: whichever fits is the one. */
const digestThatFits = (wanted: Buffer, header: Buffer, passphrase: string): string | null =>
  getHashes().find((name) => {
    try {
      const made = createHmac(name, passphrase).update(header).digest();
      return made.length === wanted.length && timingSafeEqual(made, wanted);
    } catch {
      // OpenSSL lists digests that it cannot use for an HMAC.
      return false;
    }
  }) ?? null;

/** Believes a backup-header or not. A wrong passphrase and a changed header look the same: D_VERIFY. */
export const authenticateHeader = async (
  header: Buffer,
  hmac: Buffer,
  passphrase: string,
  derive?: DeriveKey,
): Promise<Result<Authentication, Failure>> => {
  const wanted = digestIn(hmac.toString('latin1'));
  if (wanted) {
    const digest = digestThatFits(wanted, header, passphrase);
    if (digest) return ok({ by: 'hmac', digest });
  } else if (await opensTo(hmac, header, passphrase, derive)) return ok({ by: 'scrypt' });
  return err(
    failure('D_VERIFY', 'the backup does not open with this passphrase', {
      cause: 'the passphrase is wrong, or the header was changed',
    }),
  );
};
