import { createHash } from 'node:crypto';

/** So many MiB that do not get smaller when they are compressed, the same for the same word. */
export const noise = (word: string, mib: number): Buffer => {
  const key = Buffer.alloc(32, word);
  return Buffer.concat(
    Array.from({ length: mib * 32768 }, (_, n) => createHash('sha256').update(key).update(`${n}`).digest()),
  );
};
