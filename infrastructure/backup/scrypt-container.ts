import { createDecipheriv, createHash, createHmac, scrypt, timingSafeEqual } from 'node:crypto';
import { byteSource } from './byte-source.ts';

/*
 * The container of tarsnap's scrypt(1), format 0: "scrypt", version, logN, r, p (big-endian), 32 bytes of salt, the first
 * half of their sha256, an HMAC over all of that; the data under AES-256-CTR; an HMAC over everything before it.
 */
const HEADER = 96;
const TAIL = 32;

/** A container that is none, does not authenticate, or asks for more memory than anybody should give. */
export class BadContainer extends Error {}

/** How a container's key is made: N = 2^logN. */
export type Parameters = { readonly logN: number; readonly r: number; readonly p: number; readonly salt: Buffer };

/** What scrypt(1) itself chooses on a large machine: 2 GiB. More is refused before the memory is asked for. */
const MOST_MEMORY = 2 * 2 ** 30;
const MOST_WORK = 2 ** 27;

/** Bytes that making a key takes. */
const memoryFor = ({ logN, r, p }: Parameters): number => 128 * r * (2 ** logN + p);

const parametersOf = (header: Buffer): Parameters => {
  if (header.toString('latin1', 0, 6) !== 'scrypt' || header[6] !== 0)
    throw new BadContainer('it is no scrypt container');
  const sum = createHash('sha256').update(header.subarray(0, 48)).digest();
  if (!sum.subarray(0, 16).equals(header.subarray(48, 64)))
    throw new BadContainer('the head of its container is damaged');
  const logN = header.readUInt8(7);
  const r = header.readUInt32BE(8);
  const p = header.readUInt32BE(12);
  const wanted = { logN, r, p, salt: header.subarray(16, 48) };
  if (logN < 1 || r < 1 || p < 1) throw new BadContainer('the parameters of its key make no sense');
  if (logN > 40 || memoryFor(wanted) > MOST_MEMORY + 2 ** 26 || 2 ** logN * r * p > MOST_WORK)
    throw new BadContainer(
      `its key would cost more than ${MOST_MEMORY / 2 ** 30} GiB of memory (logN ${logN}, r ${r}, p ${p})`,
    );
  return wanted;
};

/** Gives the 64 bytes of a container's key. */
export type DeriveKey = (passphrase: string, parameters: Parameters) => Promise<Buffer>;

export const deriveKey: DeriveKey = (passphrase, parameters) =>
  new Promise((resolve, reject) => {
    const { logN, r, p, salt } = parameters;
    const options = { N: 2 ** logN, r, p, maxmem: memoryFor(parameters) + 8 * 2 ** 20 };
    scrypt(passphrase, salt, 64, options, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** Derives each key once: a backup that is read twice costs its memory and time only once. */
export const rememberedKeys = (): DeriveKey => {
  const known = new Map<string, Promise<Buffer>>();
  return (passphrase, parameters) => {
    const { logN, r, p, salt } = parameters;
    const name = createHash('sha256').update(`${logN} ${r} ${p} `).update(salt).update(passphrase).digest('hex');
    const key = known.get(name) ?? deriveKey(passphrase, parameters);
    known.set(name, key);
    return key;
  };
};

/** The HMAC under the second half of a container's key. */
export const macOf = (key: Buffer) => createHmac('sha256', key.subarray(32));

/**
 * What a container holds, piece by piece. Throws `BadContainer`: for a wrong passphrase before the first piece, for damaged
 * data after the last one, so whoever stores the pieces must not use them before the end.
 */
export async function* openContainer(
  pieces: AsyncIterable<Buffer>,
  size: number,
  passphrase: string,
  derive: DeriveKey = deriveKey,
): AsyncGenerator<Buffer> {
  if (size < HEADER + TAIL) throw new BadContainer('it is too short for a scrypt container');
  const source = byteSource(pieces);
  const header = await source.take(HEADER);
  if (!header) throw new BadContainer('it is empty');
  const key = await derive(passphrase, parametersOf(header));
  if (!timingSafeEqual(macOf(key).update(header.subarray(0, 64)).digest(), header.subarray(64)))
    throw new BadContainer('it does not open with this passphrase');
  const mac = macOf(key).update(header);
  const cipher = createDecipheriv('aes-256-ctr', key.subarray(0, 32), Buffer.alloc(16));
  for await (const piece of source.stream(size - HEADER - TAIL)) {
    mac.update(piece);
    yield cipher.update(piece);
  }
  const tail = await source.take(TAIL);
  if (!tail || !timingSafeEqual(mac.digest(), tail)) throw new BadContainer('its data does not authenticate');
}
