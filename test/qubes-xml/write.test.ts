import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { groupId } from '../../infrastructure/qubes-xml/group.ts';
import { writeQubesXml } from '../../infrastructure/qubes-xml/write.ts';

/** What happens between the writing of the temporary file and the rename. */
let meanwhile: () => void = () => undefined;
vi.mock('../../infrastructure/qubes-xml/check.ts', async (original) => {
  const real = await original<typeof import('../../infrastructure/qubes-xml/check.ts')>();
  return {
    problemIn: (text: string) => {
      meanwhile();
      return real.problemIn(text);
    },
  };
});

let directory = '';
let file = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domtrail-xml-'));
  file = join(directory, 'qubes.xml');
});
afterEach(() => {
  meanwhile = () => undefined;
  rmSync(directory, { recursive: true, force: true });
});

const OLD = '<qubes>\n  <labels/>\n  <pools/>\n</qubes>\n';
const NEW = '<qubes>\n  <labels/>\n  <domains/>\n</qubes>\n';
const THEIRS = '<qubes>\n  <labels/>\n  <theirs/>\n</qubes>\n';
const sha256 = (text: string): string => hash('sha256', text);
const content = (): string => readFileSync(file, 'utf8');
const OK = { ok: true, value: null };

describe('qubes.xml is written', () => {
  test('the first time, for the group to read and change, and nothing is left beside it', () => {
    expect(writeQubesXml(file, NEW, null)).toEqual(OK);
    expect(content()).toBe(NEW);
    expect(statSync(file).mode & 0o777).toBe(0o660);
    expect(readdirSync(directory)).toEqual(['qubes.xml']);
  });

  test('in the place of what we wrote last, as another file', () => {
    writeFileSync(file, OLD);
    const before = statSync(file).ino;
    expect(writeQubesXml(file, NEW, sha256(OLD))).toEqual(OK);
    expect(content()).toBe(NEW);
    expect(statSync(file).ino).not.toBe(before);
  });

  test('again when somebody removed it', () => {
    expect(writeQubesXml(file, NEW, sha256(OLD))).toEqual(OK);
    expect(content()).toBe(NEW);
  });

  test('with every character as it is meant', () => {
    const text = '<qubes>\n  <feature name="a">\u00e4\u2028\u{1f600}&amp;&#13;</feature>\n</qubes>\n';
    expect(writeQubesXml(file, text, null)).toEqual(OK);
    expect(readFileSync(file)).toEqual(Buffer.from(text, 'utf8'));
  });

  test('not when it already has the content, whatever we wrote last', () => {
    writeFileSync(file, NEW);
    const before = statSync(file, { bigint: true });
    for (const last of [null, sha256(OLD), sha256(NEW)]) expect(writeQubesXml(file, NEW, last)).toEqual(OK);
    const after = statSync(file, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });
});

/** Another file with the same content. */
const copy = (): string => {
  const path = join(directory, 'copy');
  writeFileSync(path, OLD);
  return path;
};

describe('what somebody else wrote stays', () => {
  test.each([
    ['that we never wrote', null],
    ['that we wrote with another content', sha256(OLD)],
  ])('a file %s', (_, last) => {
    writeFileSync(file, THEIRS);
    expect(writeQubesXml(file, NEW, last)).toMatchObject({
      ok: false,
      error: { code: 'D_XML_FOREIGN_CHANGE', cause: 'at line 3 the file has "<theirs/>", domtrail has "<domains/>"' },
    });
    expect(content()).toBe(THEIRS);
  });

  test('a file that is longer or shorter than ours', () => {
    writeFileSync(file, `${NEW}more\n`);
    expect(writeQubesXml(file, NEW, null)).toMatchObject({
      error: { cause: 'at line 5 the file has "more", domtrail has ""' },
    });
    writeFileSync(file, '<qubes>');
    expect(writeQubesXml(file, NEW, null)).toMatchObject({
      error: { cause: 'at line 2 the file ends, domtrail has "<labels/>"' },
    });
  });

  test.each([
    ['changed', () => writeFileSync(file, THEIRS)],
    ['only touched', () => utimesSync(file, 1, 1)],
    ['replaced by a copy', () => renameSync(copy(), file)],
    ['removed', () => unlinkSync(file)],
  ])('a file that is %s while we write ours', (_, change) => {
    writeFileSync(file, OLD);
    let now: string | null = null;
    meanwhile = () => {
      change();
      now = readdirSync(directory).includes('qubes.xml') ? content() : null;
    };
    expect(writeQubesXml(file, NEW, sha256(OLD))).toMatchObject({ ok: false, error: { code: 'D_XML_FOREIGN_CHANGE' } });
    expect(readdirSync(directory)).toEqual(now === null ? [] : ['qubes.xml']);
    if (now !== null) expect(content()).toBe(now);
  });

  test('a file that appears while we write the first', () => {
    meanwhile = () => writeFileSync(file, THEIRS);
    expect(writeQubesXml(file, NEW, null)).toMatchObject({ ok: false, error: { code: 'D_XML_FOREIGN_CHANGE' } });
    expect(content()).toBe(THEIRS);
  });

  test('something that is no file at all, without waiting for it', () => {
    expect(spawnSync('mkfifo', [file]).status).toBe(0);
    expect(writeQubesXml(file, NEW, null)).toMatchObject({ ok: false, error: { code: 'D_XML_FOREIGN_CHANGE' } });
    expect(statSync(file).isFIFO()).toBe(true);
  });
});

describe('what cannot be written leaves everything as it was', () => {
  test('no directory, or something else in its place', () => {
    const missing = writeQubesXml(join(directory, 'none', 'qubes.xml'), NEW, null);
    expect(missing).toMatchObject({ ok: false, error: { code: 'D_HOME_UNREADABLE' } });
    mkdirSync(file);
    expect(writeQubesXml(file, NEW, null)).toMatchObject({ ok: false, error: { code: 'D_HOME_UNREADABLE' } });
    expect(readdirSync(directory)).toEqual(['qubes.xml']);
  });

  test('a document that is none is a bug, and never reaches the file', () => {
    writeFileSync(file, OLD);
    expect(() => writeQubesXml(file, '<qubes>', sha256(OLD))).toThrow(/bad qubes\.xml/);
    expect(content()).toBe(OLD);
    expect(readdirSync(directory)).toEqual(['qubes.xml']);
  });

  test('half a surrogate pair, which UTF-8 cannot hold, is a bug too', () => {
    expect(() => writeQubesXml(file, '<qubes>\ud800</qubes>', null)).toThrow(/does not hold what was written/);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a full disk is told as such', () => {
    writeFileSync(file, OLD);
    meanwhile = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 });
    };
    expect(writeQubesXml(file, NEW, sha256(OLD))).toMatchObject({ ok: false, error: { code: 'D_DISK_FULL' } });
    expect(content()).toBe(OLD);
    expect(readdirSync(directory)).toEqual(['qubes.xml']);
  });
});

describe('the group that stock shares the file with', () => {
  test('is looked up by its whole name, and may be missing', () => {
    const groups = join(directory, 'group');
    writeFileSync(groups, 'root:x:0:\nqubes-more:x:7:\nqubes:x:98:ada,eve\nbroken\nodd:x:-1:\n');
    expect(groupId('qubes', groups)).toBe(98);
    expect(groupId('root', groups)).toBe(0);
    expect([groupId('qube', groups), groupId('broken', groups), groupId('odd', groups)]).toEqual([null, null, null]);
    expect(groupId('qubes', join(directory, 'none'))).toBeNull();
  });
});
