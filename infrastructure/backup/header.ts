import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

/** What an archive says of itself. `filter`: the program that compressed its streams, null for none. */
export type BackupHeader = {
  readonly version: 2 | 3 | 4;
  readonly encrypted: boolean;
  readonly filter: Filter | null;
  readonly backupId: string;
  /** its last file lists all of them (domtrail's own; stock passes over the key) */
  readonly hasManifest: boolean;
};

/** The compressors of Qubes backups, and what unpacks them. */
const FILTERS = {
  gzip: 'gzip',
  pigz: 'gzip',
  bzip2: 'bzip2',
  pbzip2: 'bzip2',
  xz: 'xz',
  lzma: 'lzma',
  zstd: 'zstd',
  zstdmt: 'zstd',
} as const;
export type Filter = (typeof FILTERS)[keyof typeof FILTERS];

const isFilter = (name: string): name is keyof typeof FILTERS => Object.hasOwn(FILTERS, name);

const KNOWN = new Set([
  'version',
  'encrypted',
  'compressed',
  'compression-filter',
  'crypto-algorithm',
  'hmac-algorithm',
  'backup-id',
  'manifest',
]);

const refused = (message: string): Result<never, Failure> =>
  err(failure('D_BACKUP_INVALID', `backup-header: ${message}`));

const isTrue = (text: string | undefined): boolean => ['1', 'true', 'yes'].includes((text ?? '').toLowerCase());

const fieldsOf = (text: string): Result<ReadonlyMap<string, string>, Failure> => {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [key = '', value, ...more] = line.split('=');
    if (value === undefined || more.length > 0) return refused('a line without exactly one "="');
    if (!KNOWN.has(key)) continue;
    if (!/^[A-Za-z0-9-]*$/.test(value)) return refused(`the value of ${key} holds a character it must not`);
    if (fields.has(key)) return refused(`${key} is given twice`);
    fields.set(key, value);
  }
  return ok(fields);
};

type Fields = ReadonlyMap<string, string>;

const filterOf = (fields: Fields, version: 3 | 4): Result<Filter | null, Failure> => {
  if (!isTrue(fields.get('compressed'))) return ok(null);
  const name = fields.get('compression-filter') ?? (version === 3 ? 'gzip' : '');
  return isFilter(name) ? ok(FILTERS[name]) : refused(`compression-filter ${JSON.stringify(name)} is not one of ours`);
};

const version4 = (fields: Fields): Result<BackupHeader, Failure> => {
  const filter = filterOf(fields, 4);
  if (!filter.ok) return filter;
  const backupId = fields.get('backup-id') ?? '';
  if (backupId === '' || backupId.startsWith('-')) return refused('backup-id is missing');
  const hasManifest = isTrue(fields.get('manifest'));
  return ok({ version: 4, encrypted: true, filter: filter.value, backupId, hasManifest });
};

const cipherOf = (fields: Fields): Result<boolean, Failure> => {
  const encrypted = isTrue(fields.get('encrypted'));
  const cipher = fields.get('crypto-algorithm') ?? 'aes-256-cbc';
  if (encrypted && cipher.toLowerCase() !== 'aes-256-cbc') return refused(`crypto-algorithm ${cipher} is unknown`);
  return ok(encrypted);
};

/** Each volume of format 2 is packed or encrypted by itself, and shows which. */
const version2 = (fields: Fields): Result<BackupHeader, Failure> => {
  const encrypted = cipherOf(fields);
  if (!encrypted.ok) return encrypted;
  if (encrypted.value && isTrue(fields.get('compressed')))
    return refused('format 2 with encryption and compression: only an openssl of that time unpacks it');
  return ok({ version: 2, encrypted: encrypted.value, filter: null, backupId: '', hasManifest: false });
};

/** The first backups of Qubes R2 have no header, and one way to be made. */
export const WITHOUT_HEADER: BackupHeader = {
  version: 2,
  encrypted: true,
  filter: null,
  backupId: '',
  hasManifest: false,
};

const version3 = (fields: Fields): Result<BackupHeader, Failure> => {
  const filter = filterOf(fields, 3);
  if (!filter.ok) return filter;
  const encrypted = cipherOf(fields);
  if (!encrypted.ok) return encrypted;
  return ok({ version: 3, encrypted: encrypted.value, filter: filter.value, backupId: '', hasManifest: false });
};

/** Reads a header that has been authenticated (spec: backup-format 2). Formats 2, 3 and 4. */
export const parseHeader = (bytes: Buffer): Result<BackupHeader, Failure> => {
  if (bytes.some((byte) => byte > 0x7e)) return refused('it is not ASCII');
  const fields = fieldsOf(bytes.toString('latin1'));
  if (!fields.ok) return fields;
  const version = fields.value.get('version') ?? '2';
  switch (version) {
    case '4':
      return version4(fields.value);
    case '3':
      return version3(fields.value);
    case '2':
      return version2(fields.value);
    default:
      return refused(`version ${version} is unknown`);
  }
};
