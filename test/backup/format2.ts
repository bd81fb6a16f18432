import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** How a backup of format 2 is made; `header` null as the first ones of Qubes R2. */
export type Making = { readonly header: string | null; readonly digest: string; readonly packed: 'openssl' | 'gzip' };

export const PASSPHRASE = 'open sesame';

/** 100 KiB where Qubes took 100 MiB: a member of GNU tar goes on in the next volume in the same way. */
const TAPE_KIB = '100';

/** What `tar` leaves on its tapes, in order. */
const volumesOf = (dir: string, name: string, as: string): readonly Buffer[] => {
  const scratch = mkdtempSync(join(tmpdir(), 'domtrail-tapes-'));
  try {
    const change = join(scratch, 'change-tape');
    writeFileSync(change, `#!/bin/sh\nprintf '${scratch}/tape.%03d\\n' "$TAR_VOLUME" >&"$TAR_FD"\n`);
    chmodSync(change, 0o755);
    const tape = ['-f', join(scratch, 'tape.001'), '--tape-length', TAPE_KIB, `--new-volume-script=${change}`];
    execFileSync('tar', ['-Pc', '--sparse', ...tape, '-C', dir, `--xform=s:^${name}:${as}:`, name]);
    const tapes = readdirSync(scratch).filter((file) => file.startsWith('tape.'));
    return tapes.sort().map((file) => readFileSync(join(scratch, file)));
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

const PACKERS = {
  openssl: ['openssl', 'enc', '-e', '-aes-256-cbc', '-md', 'md5', '-pass', `pass:${PASSPHRASE}`],
  gzip: ['gzip', '-c'],
} as const;

const packed = (bytes: Buffer, by: Making['packed']): Buffer => {
  const [program, ...args] = PACKERS[by];
  return execFileSync(program, args, { input: bytes, maxBuffer: 2 ** 26, stdio: ['pipe', 'pipe', 'ignore'] });
};

const alone = (name: string, bytes: Buffer): Buffer => {
  const scratch = mkdtempSync(join(tmpdir(), 'domtrail-member-'));
  try {
    mkdirSync(dirname(join(scratch, name)), { recursive: true });
    writeFileSync(join(scratch, name), bytes);
    return execFileSync('tar', ['-cO', '--posix', '-C', scratch, name], { maxBuffer: 2 ** 26 });
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

const withHmac = (name: string, bytes: Buffer, digest: string): Buffer => {
  const hmac = createHmac(digest, PASSPHRASE).update(bytes).digest('hex');
  return Buffer.concat([alone(name, bytes), alone(`${name}.hmac`, Buffer.from(`(stdin)= ${hmac}\n`))]);
};

/** A source directory's file or, as templates are kept, the whole of it under `vm1/.`. */
type Source = { readonly path: string; readonly dir: string; readonly name: string };

/** A backup as Qubes R2 made it, of the real programs it was made with. */
const format2 = (sources: readonly Source[], { header, digest, packed: by }: Making): Buffer =>
  Buffer.concat([
    ...(header === null ? [] : [withHmac('backup-header', Buffer.from(header), digest)]),
    ...sources.flatMap(({ path, dir, name }) =>
      volumesOf(dir, name, path).map((volume, number) =>
        withHmac(`${path}.${String(number).padStart(3, '0')}`, packed(volume, by), digest),
      ),
    ),
  ]);

const XML = `<QubesVmCollection updatevm="None" default_template="1">
  <QubesTemplateVm qid="1" name="fedora-18-x64" label="black" template_qid="none" netvm_qid="none" backup_content="True" backup_path="vm1" backup_size="3145728"/>
  <QubesAppVm qid="2" name="work" label="red" template_qid="1" netvm_qid="none" backup_content="True" backup_path="vm2" backup_size="3145728"/>
</QubesVmCollection>
`;

const noise = (seed: string, bytes: number): Buffer => {
  const pieces: Buffer[] = [];
  for (let n = 0; n * 32 < bytes; n++) pieces.push(createHash('sha256').update(`${seed} ${n}`).digest());
  return Buffer.concat(pieces).subarray(0, bytes);
};

const MIB = 2 ** 20;

/** An image with holes; where `at` is beyond what is written, it ends with one. */
const image = (file: string, seed: string, at: number): Buffer => {
  const whole = Buffer.alloc(3 * MIB);
  noise(seed, 350_000).copy(whole, at);
  noise(`${seed} end`, 1000).copy(whole, 2 * MIB);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, whole);
  // A file written as a whole has no holes, and tar would write no sparse member.
  execFileSync('cp', ['--sparse=always', file, `${file}.sparse`]);
  execFileSync('mv', [`${file}.sparse`, file]);
  return whole;
};

export type Content = { readonly size: number; readonly sha256: string };

const contentOf = (bytes: Buffer): Content => ({
  size: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

/** A template and an AppVM, and what their images hold. */
export const sample = (making: Making): { readonly file: Buffer; readonly images: Record<string, Content> } => {
  const dir = mkdtempSync(join(tmpdir(), 'domtrail-r2-'));
  try {
    writeFileSync(join(dir, 'qubes.xml'), XML);
    const images = {
      'fedora-18-x64 root.img': contentOf(image(join(dir, 'template/root.img'), 'root', 10_000)),
      'fedora-18-x64 private.img': contentOf(image(join(dir, 'template/private.img'), 'template', 0)),
      'work private.img': contentOf(image(join(dir, 'work/private.img'), 'work', 500_000)),
    };
    const sources: readonly Source[] = [
      { path: 'qubes.xml', dir, name: 'qubes.xml' },
      { path: 'vm1/.', dir: join(dir, 'template'), name: '.' },
      { path: 'vm2/private.img', dir: join(dir, 'work'), name: 'private.img' },
    ];
    return { file: format2(sources, making), images };
  } finally {
    rmSync(dir, { recursive: true });
  }
};
