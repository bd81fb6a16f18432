import type { Readable } from 'node:stream';

/** A member of the outer archive. Its data is to be read before the next one is asked for. */
export type Member = { readonly name: string; readonly size: number; readonly data: AsyncIterable<Buffer> };

/** A member of another kind than a plain file, which no backup has. */
class BadMember extends Error {}

/**
 * The members of a backup file: complete archives of one member each, one after the other, so blocks of zeros are read past
 * (spec: backup-format 1). Nothing here is authenticated yet. Throws for a file that is no tar archive or is cut off.
 */
export async function* membersOf(file: Readable): AsyncGenerator<Member> {
  const { extract } = await import('tar-stream');
  const archive = extract();
  file.on('error', (error) => archive.destroy(error));
  file.pipe(archive);
  for await (const entry of archive) {
    const { name, size, type } = entry.header;
    if (type !== 'file' && type !== 'contiguous-file') throw new BadMember(`${name} is a ${type}, which no backup has`);
    yield { name, size: size ?? 0, data: entry as AsyncIterable<Buffer> };
    entry.resume();
  }
}
