/** A member of the outer archive: one chunk of an inner archive, or its HMAC (formats 2 and 3). */
export type ChunkName = {
  readonly path: string;
  readonly number: number;
  readonly kind: 'chunk' | 'hmac';
};

const LONGEST = 1024;

/** A path inside an archive that stays inside: no empty, "." (but last: a whole directory) or ".." part, plain characters. */
const isPlainPath = (path: string): boolean =>
  path.length <= LONGEST &&
  path
    .split('/')
    .every(
      (part, index, all) =>
        /^[A-Za-z0-9_.+-]+$/.test(part) && part !== '..' && (part !== '.' || index === all.length - 1),
    );

/** `vm2/private.img.000.enc` (format 4), `vm2/private.img.000`, `vm2/private.img.000.hmac` (formats 2 and 3); null for any other name. */
export const parseChunkName = (name: string, version: 2 | 3 | 4): ChunkName | null => {
  const found = /^(.+)\.([0-9]{3,6})(\.enc|\.hmac)?$/.exec(name);
  const [, path = '', digits = '', suffix = ''] = found ?? [];
  if (!found || !isPlainPath(path)) return null;
  if (suffix !== (version === 4 ? '.enc' : suffix === '.hmac' ? '.hmac' : '')) return null;
  return { path, number: Number(digits), kind: suffix === '.hmac' ? 'hmac' : 'chunk' };
};

/** What a chunk of format 4 was encrypted under, besides the passphrase: its name without ".enc". */
export const nameOfChunk = ({ path, number }: ChunkName): string => `${path}.${String(number).padStart(3, '0')}`;
