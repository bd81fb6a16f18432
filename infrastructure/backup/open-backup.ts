import type { Readable } from 'node:stream';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type InnerArchive, innerArchives, type Keys } from './archives.ts';
import { authenticateHeader } from './authenticate.ts';
import { type BackedUpVm, contentsOf } from './contents.ts';
import { type BackupHeader, parseHeader, WITHOUT_HEADER } from './header.ts';
import { type Member, membersOf } from './members.ts';
import type { DeriveKey } from './scrypt-container.ts';
import { tarFiles } from './sparse-tar/read.ts';

/** A backup whose header and table of contents are authenticated. `archives`: what follows them, to be read in order. */
export type OpenBackup = {
  readonly header: BackupHeader;
  readonly vms: readonly BackedUpVm[];
  readonly archives: AsyncGenerator<InnerArchive>;
  /** members that belong to no archive; grows while the archives are read */
  readonly strange: readonly string[];
};

const MOST_HEADER = 2 ** 20;
/** A host of a thousand VMs needs about 2 MiB. */
const MOST_XML = 64 * 2 ** 20;

const invalid = (message: string, cause?: string): Result<never, Failure> =>
  err(failure('D_BACKUP_INVALID', message, cause === undefined ? {} : { cause }));

const gather = async (data: AsyncIterable<Buffer>, most: number): Promise<Buffer | null> => {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of data) {
    size += piece.length;
    if (size > most) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
};

const memberNamed = async (members: AsyncIterator<Member>, name: string): Promise<Result<Buffer, Failure>> => {
  const { done, value } = await members.next();
  if (done || value.name !== name) return invalid(`this is no Qubes backup: ${name} is not where it must be`);
  const bytes = value.size > MOST_HEADER ? null : await gather(value.data, MOST_HEADER);
  return bytes ? ok(bytes) : invalid(`${name} is too large`);
};

/** `derive`: shared by those who read one backup several times. */
type Opening = { readonly passphrase: string; readonly derive?: DeriveKey };

async function* beginningWith(first: Member, rest: AsyncIterator<Member>): AsyncGenerator<Member> {
  yield first;
  for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
}

/** What Qubes R2 wrote before there was a header. The passphrase shows with the first chunk. */
const headless = (passphrase: string): Keys => ({
  header: WITHOUT_HEADER,
  authentication: { by: 'hmac', digest: 'sha1' },
  passphrase,
});

const keysOf = async (
  members: AsyncIterator<Member>,
  { passphrase, derive }: Opening,
): Promise<Result<Keys, Failure>> => {
  const text = await memberNamed(members, 'backup-header');
  if (!text.ok) return text;
  const hmac = await memberNamed(members, 'backup-header.hmac');
  if (!hmac.ok) return hmac;
  const authentication = await authenticateHeader(text.value, hmac.value, passphrase);
  if (!authentication.ok) return authentication;
  const header = parseHeader(text.value);
  if (!header.ok) return header;
  if ((header.value.version === 4) !== (authentication.value.by === 'scrypt'))
    return invalid(`a backup of format ${header.value.version} is not authenticated like this`);
  return ok({ header: header.value, authentication: authentication.value, passphrase, derive });
};

const tableOfContents = async (
  archives: AsyncGenerator<InnerArchive>,
): Promise<Result<readonly BackedUpVm[], Failure>> => {
  const first = await archives.next();
  if (first.done || first.value.path !== 'qubes.xml') return invalid('qubes.xml is not where it must be');
  let text: Buffer | null = null;
  for await (const file of tarFiles(first.value.content)) {
    if (file.name !== 'qubes.xml' || file.size > MOST_XML)
      return invalid('the archive of qubes.xml holds something else');
    text = await gather(
      (async function* () {
        for await (const { bytes } of file.data) yield bytes;
      })(),
      MOST_XML,
    );
  }
  return text ? contentsOf(text.toString('utf8')) : invalid('the archive of qubes.xml is empty');
};

/**
 * Opens a backup (formats 2, 3 and 4): believes nothing before it is authenticated, and reads on from `file` only as far as the
 * caller asks. D_VERIFY: wrong passphrase or changed header; D_BACKUP_INVALID: no backup, or damaged before the first VM.
 */
export const openBackup = async (file: Readable, opening: Opening): Promise<Result<OpenBackup, Failure>> => {
  const found = membersOf(file);
  const strange: string[] = [];
  let hasHeader = true;
  try {
    const first = await found.next();
    if (first.done) return invalid('this is no Qubes backup: it holds nothing');
    const members = beginningWith(first.value, found);
    hasHeader = first.value.name !== 'qubes.xml.000';
    const keys = hasHeader ? await keysOf(members, opening) : ok(headless(opening.passphrase));
    if (!keys.ok) return keys;
    const archives = innerArchives(members, keys.value, (problem) => strange.push(problem));
    const vms = await tableOfContents(archives);
    return vms.ok ? ok({ header: keys.value.header, vms: vms.value, archives, strange }) : vms;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    if (hasHeader) return invalid('the backup is damaged before its first VM', cause);
    return err(failure('D_VERIFY', 'the backup does not open with this passphrase, or is damaged', { cause }));
  }
};
