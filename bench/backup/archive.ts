import { createReadStream, statSync, writeSync } from 'node:fs';
import { contentDigest } from '../../infrastructure/backup/content-digest.ts';
import { sparseArchive } from '../../infrastructure/backup/sparse-tar/archive.ts';
import { tarFiles } from '../../infrastructure/backup/sparse-tar/read.ts';
import { wholeContent } from '../../infrastructure/backup/sparse-tar/whole.ts';
import { rangesOf } from '../../infrastructure/drivers/file-reflink/image.ts';
import { imageAt } from '../../infrastructure/drivers/image.ts';
import { run } from '../../infrastructure/process/run.ts';

/** archive.cjs MODE FILE [TARGET]: one piece of work of a backup, to standard output; its peak memory on stderr. */
const [mode = '', file = '', target = ''] = process.argv.slice(2);

const put = (piece: Buffer): void => {
  for (let at = 0; at < piece.length; ) at += writeSync(1, piece, at);
};

/** `map`: holes from the file system. `scan`: none known. `hashed`: as a backup does it, with the digest of the content. */
const archived = async (): Promise<void> => {
  const image = imageAt(file, statSync(file).size, mode === 'scan' ? null : await rangesOf(file));
  const digest = mode === 'hashed' ? contentDigest() : null;
  for await (const piece of sparseArchive(image, 'vm7/private.img', digest?.add)) put(piece);
  digest?.of(image.bytes);
};

/** What a restore does with an inner archive: reads it and feeds a dd that makes the target sparse. */
const restored = async (): Promise<void> => {
  for await (const one of tarFiles(createReadStream(file, { highWaterMark: 2 ** 20 }))) {
    const argv = ['dd', `of=${target}`, 'bs=128K', 'iflag=fullblock', 'conv=sparse', 'status=none'] as const;
    const { evidence } = await run(argv, { feed: wholeContent(one) });
    if (evidence.exitCode !== 0) throw new Error(evidence.stderr);
  }
};

const main = async (): Promise<void> => {
  await (mode === 'restore' ? restored() : archived());
  process.stderr.write(`${process.resourceUsage().maxRSS * 1024}\n`);
};

void main();
