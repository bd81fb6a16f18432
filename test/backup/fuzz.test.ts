import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openContainer } from '../../infrastructure/backup/scrypt-container.ts';
import { sealed } from '../../infrastructure/backup/seal.ts';
import * as to from '../domain/commands.ts';
import { PASSPHRASE, withArchiver } from '../runner/archiver.ts';
import { newWorld } from '../runner/world.ts';
import { joined, type Part, partFor, partsOf, verified } from './vectors.ts';

/** DOMTRAIL_FUZZ=20000 for a long night. */
const RUNS = Number(process.env['DOMTRAIL_FUZZ'] ?? 40);

let parts: readonly Part[];
let whole: Buffer;

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'domtrail-fuzz-'));
  const world = withArchiver(newWorld(), { chunkBytes: 2 ** 17 });
  await world.does(to.init(to.lvmPool('lvm')), to.templateVm('fedora'), to.appVm('work', { template: 'fedora' }));
  await world.does(to.resize('work:private', 4 * 2 ** 20, true), to.start('work'));
  for (const at of [0, 65_536 * 3, 65_536 * 9]) world.model.writeAt('vm-work-private-snap', at, `text at ${at}`);
  await world.does(to.stop('work'), to.backup(join(dir, 'b.qbk'), 'work'));
  whole = readFileSync(join(dir, 'b.qbk'));
  parts = partsOf(whole);
  rmSync(dir, { recursive: true });
});

/** A place as a share of the whole, and what is written there. */
const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
  minLength: 1,
  maxLength: 6,
});

const mutated = (bytes: Buffer, list: readonly (readonly [number, number])[]): Buffer => {
  const copy = Buffer.from(bytes);
  for (const [place, value] of list) copy[Math.floor(place * copy.length)] = value;
  return copy;
};

/** A report or a refusal: everything else is a crash. What is called whole has all its files. */
const isJudged = async (bytes: Buffer): Promise<void> => {
  const report = await verified(bytes, PASSPHRASE);
  if (typeof report === 'string') expect(['D_BACKUP_INVALID', 'D_VERIFY']).toContain(report);
  else if (report.ok) expect(report.vms.flatMap(({ files }) => files.map(({ name }) => name))).toEqual(['private.img']);
};

const opened = async ({ name, data }: Part, secret: string): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  const source = (async function* () {
    yield data;
  })();
  for await (const piece of openContainer(source, data.length, secret)) pieces.push(piece);
  expect(name).toMatch(/\.enc$/);
  return Buffer.concat(pieces);
};

/** A part with other content, under its right key: what somebody who has the passphrase could make. */
const resealed = async (part: Part, change: (content: Buffer) => Buffer): Promise<Part> => {
  const [, id = ''] = /backup-id=(\S+)/.exec(whole.toString('latin1', 0, 4096)) ?? [];
  const secret = `${id}!${part.name.slice(0, -'.enc'.length)}!${PASSPHRASE}`;
  const seal = await sealed(secret, { logN: 10 });
  const body = seal.update(change(await opened(part, secret)));
  return partFor(part.name, Buffer.concat([seal.head, body, seal.end()]));
};

describe('a backup that somebody has changed', { timeout: 3_600_000 }, () => {
  test('anywhere: bytes, pieces that are left out, pieces that come twice', async () => {
    const cut = fc.tuple(fc.nat(whole.length), fc.nat(20_000), fc.boolean());
    await fc.assert(
      fc.asyncProperty(changes, fc.option(cut), async (list, piece) => {
        const bytes = mutated(whole, list);
        const [at, length, twice] = piece ?? [0, 0, false];
        const end = Math.min(bytes.length, at + length);
        const middle = twice ? bytes.subarray(at, end) : Buffer.alloc(0);
        await isJudged(Buffer.concat([bytes.subarray(0, twice ? end : at), middle, bytes.subarray(end)]));
      }),
      { numRuns: RUNS, seed: 5 },
    );
  });

  test('in the outer headers, where nothing is authenticated', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(parts.length - 1), changes, async (which, list) => {
        const bad = parts.map((part, at) => {
          if (at !== which) return part;
          const header = mutated(part.bytes.subarray(0, 512), list);
          return { ...part, bytes: Buffer.concat([header, part.bytes.subarray(512)]) };
        });
        await isJudged(joined(bad));
      }),
      { numRuns: RUNS, seed: 6 },
    );
  });

  test('with the passphrase: the qubes.xml, the inner archives and the list itself', async () => {
    const inner = parts.filter(({ name }) => name.endsWith('.000.enc'));
    await fc.assert(
      fc.asyncProperty(fc.nat(inner.length - 1), changes, fc.boolean(), async (which, list, early) => {
        const part = inner[which] as Part;
        const bad = await resealed(part, (content) => {
          const head = Math.min(content.length, early ? 2048 : content.length);
          return Buffer.concat([mutated(content.subarray(0, head), list), content.subarray(head)]);
        });
        const report = await verified(joined(parts.map((one) => (one === part ? bad : one))), PASSPHRASE);
        if (typeof report === 'string') expect(report).toBe('D_BACKUP_INVALID');
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });
});
