import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

const ZEROS = Buffer.alloc(2 ** 20);
/** A hole of many GiB takes seconds: now and then others get their turn. */
const TURN = 2 ** 26;

/** The sha256 of an image from its data alone; what lies between is zeros. Pieces come in order. `onTurn`: it goes on. */
export const wholeHash = (onTurn: () => void = () => undefined) => {
  const hash = createHash('sha256');
  let at = 0;
  const zerosTo = async (end: number): Promise<void> => {
    for (let turn = 0; at < end; ) {
      const length = Math.min(ZEROS.length, end - at);
      hash.update(ZEROS.subarray(0, length));
      at += length;
      turn += length;
      if (turn >= TURN) {
        turn = 0;
        await setImmediate();
        onTurn();
      }
    }
  };
  return {
    add: async (offset: number, piece: Buffer): Promise<void> => {
      await zerosTo(offset);
      hash.update(piece);
      at = offset + piece.length;
    },
    /** Of an image of so many bytes. */
    digest: async (size: number): Promise<string> => {
      await zerosTo(size);
      return hash.digest('hex');
    },
  };
};
