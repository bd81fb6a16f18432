import { createDecipheriv, createHash } from 'node:crypto';
import { byteSource } from './byte-source.ts';
import { BadContainer } from './scrypt-container.ts';

const MAGIC = 'Salted__';

/** Key and IV as `openssl enc -md MD5` makes them: one round of EVP_BytesToKey. */
const keyAndIv = (passphrase: string, salt: Buffer): { readonly key: Buffer; readonly iv: Buffer } => {
  const secret = Buffer.concat([Buffer.from(passphrase, 'utf8'), salt]);
  let all: Buffer = Buffer.alloc(0);
  let last: Buffer = Buffer.alloc(0);
  while (all.length < 48) {
    last = createHash('md5').update(last).update(secret).digest();
    all = Buffer.concat([all, last]);
  }
  return { key: all.subarray(0, 32), iv: all.subarray(32, 48) };
};

export const isOpenssl = (head: Buffer): boolean => head.toString('latin1', 0, MAGIC.length) === MAGIC;

/** What `openssl enc -aes-256-cbc` encrypted: all chunks of a file (format 3), or one (format 2). Throws `BadContainer`. */
export async function* opensslDecrypted(pieces: AsyncIterable<Buffer>, passphrase: string): AsyncGenerator<Buffer> {
  const source = byteSource(pieces);
  const head = await source.take(16);
  if (!head || !isOpenssl(head)) throw new BadContainer('it is not what openssl enc writes');
  const { key, iv } = keyAndIv(passphrase, head.subarray(8));
  const cipher = createDecipheriv('aes-256-cbc', key, iv);
  for await (const piece of source.rest()) yield cipher.update(piece);
  try {
    yield cipher.final();
  } catch {
    throw new BadContainer('its encryption ends in the middle of a block');
  }
}
