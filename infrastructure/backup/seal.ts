import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { totalmem } from 'node:os';
import { deriveKey, macOf, type Parameters } from './scrypt-container.ts';

/** What a key costs: N = 2^logN, with r = 8 and p = 1 as scrypt(1) has them. */
export type KeyCost = { readonly logN: number };

const R = 8;
const P = 1;

/** Keys that a reader of this project refuses (2 GiB), and such that a passphrase would be guessed in no time. */
export const LOG_N = { least: 10, most: 21 } as const;

/** scrypt(1) takes about 5 s of CPU time, here and on most machines 2^20, and at most an eighth of the memory. */
export const usualCost = (memory: number = totalmem()): KeyCost => {
  const most = Math.floor(Math.log2(memory / 8 / (128 * R)));
  return { logN: Math.max(14, Math.min(20, most)) };
};

/** How many keys may be made at the same time, so that together they take no more than `memory` bytes. */
const keysAtOnce = ({ logN }: KeyCost, memory = 2 * 2 ** 30): number =>
  Math.max(1, Math.min(4, Math.floor(memory / (128 * R * 2 ** logN))));

/** A container being written: `head`, then each piece of data through `update`, then `end()`. */
export type Seal = {
  readonly head: Buffer;
  readonly update: (piece: Buffer) => Buffer;
  readonly end: () => Buffer;
  /** the key that was made for it */
  readonly key: Buffer;
};

const headOf = ({ logN, r, p, salt }: Parameters, key: Buffer): Buffer => {
  const head = Buffer.alloc(96);
  head.write('scrypt\0', 0, 'latin1');
  head.writeUInt8(logN, 7);
  head.writeUInt32BE(r, 8);
  head.writeUInt32BE(p, 12);
  salt.copy(head, 16);
  createHash('sha256').update(head.subarray(0, 48)).digest().copy(head, 48, 0, 16);
  macOf(key).update(head.subarray(0, 64)).digest().copy(head, 64);
  return head;
};

const sealWith = (parameters: Parameters, key: Buffer): Seal => {
  const head = headOf(parameters, key);
  const mac = macOf(key).update(head);
  const cipher = createCipheriv('aes-256-ctr', key.subarray(0, 32), Buffer.alloc(16));
  return {
    head,
    key,
    update: (piece) => {
      const hidden = cipher.update(piece);
      mac.update(hidden);
      return hidden;
    },
    end: () => mac.digest(),
  };
};

/** A container of scrypt(1) under a passphrase, with a salt of its own. */
export const sealed = async (passphrase: string, { logN }: KeyCost): Promise<Seal> => {
  const parameters: Parameters = { logN, r: R, p: P, salt: randomBytes(32) };
  return sealWith(parameters, await deriveKey(passphrase, parameters));
};

/** Seals that are asked for ahead of time are made meanwhile, never more than `most` at once. */
export type Seals = {
  /** It will be wanted soon; does nothing when enough are on the way already. */
  readonly expect: (passphrase: string) => void;
  readonly take: (passphrase: string) => Promise<Seal>;
};

export const sealsOf = (cost: KeyCost, most: number = keysAtOnce(cost)): Seals => {
  const ahead = new Map<string, Promise<Seal>>();
  const queue: (() => void)[] = [];
  let running = 0;
  const make = async (passphrase: string): Promise<Seal> => {
    if (running >= most) await new Promise<void>((resolve) => queue.push(resolve));
    else running++;
    try {
      return await sealed(passphrase, cost);
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
  return {
    expect: (passphrase) => {
      if (ahead.size >= most || ahead.has(passphrase)) return;
      const seal = make(passphrase);
      // Whoever takes it hears of the failure; one that nobody takes fails nobody.
      seal.catch(() => undefined);
      ahead.set(passphrase, seal);
    },
    take: (passphrase) => {
      const seal = ahead.get(passphrase) ?? make(passphrase);
      ahead.delete(passphrase);
      return seal;
    },
  };
};
