import type { Image, OpenImage } from '../../drivers/image.ts';
import { scanned } from './scan.ts';
import type { Extent } from './sparse-map.ts';
import { sparseFrame } from './write.ts';

/** Stock's smallest hole is a block of 512 bytes; ranges are cut where a device's are larger than the volume. */
const within = (extents: readonly Extent[], bytes: number): readonly Extent[] =>
  extents
    .filter(({ offset }) => offset < bytes)
    .map(({ offset, length }) => ({ offset, length: Math.min(length, bytes - offset) }));

/** The data of an image: as its driver knows it, or found by reading it once more. */
const extentsOf = async ({ bytes, ranges }: Omit<Image, 'open'>, open: OpenImage): Promise<readonly Extent[]> =>
  ranges ? within(ranges, bytes) : scanned(open.read({ offset: 0, length: bytes }));

/**
 * An image as an archive of one sparse member called `name`, piece by piece. Reads its data once, and all of it before that
 * where nobody knows its holes. `onData` sees each piece of data and where it belongs, before it goes on.
 */
export async function* sparseArchive(
  image: Image,
  name: string,
  onData: (offset: number, piece: Buffer) => unknown = () => undefined,
  number = 0,
): AsyncGenerator<Buffer> {
  const open = await image.open();
  try {
    const extents = await extentsOf(image, open);
    const { head, tail } = sparseFrame({ name, size: image.bytes, extents, number });
    yield head;
    for (const extent of extents) {
      let at = extent.offset;
      for await (const piece of open.read(extent)) {
        await onData(at, piece);
        at += piece.length;
        yield piece;
      }
    }
    yield tail;
  } finally {
    await open.close();
  }
}
