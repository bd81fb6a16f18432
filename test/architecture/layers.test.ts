import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

type Layer = { readonly rooms: readonly string[]; readonly packages: readonly string[] | 'any' };

/** Who may import whom: arrows point inward only. `test` and `bench` are free. */
const LAYERS: Readonly<Record<string, Layer>> = {
  domain: { rooms: ['domain'], packages: ['zod'] },
  migrations: { rooms: ['migrations', 'domain'], packages: [] },
  projections: { rooms: ['projections', 'domain'], packages: ['node:crypto'] },
  infrastructure: { rooms: ['infrastructure', 'domain', 'migrations'], packages: 'any' },
  bin: { rooms: ['bin', 'domain', 'infrastructure', 'migrations', 'projections', 'package.json'], packages: 'any' },
};
const FREE = ['test', 'bench'];
const NO_SOURCES = /^(\.|node_modules$|dist$|coverage$|demo-home$)/;

const FORMS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require)\s*\(\s*(['"`])([^'"`]*)\1/g,
];
const COMPUTED = /\b(?:import|require)\s*\(\s*[^'"`\s)]/;

const importsOf = (source: string): readonly string[] =>
  FORMS.flatMap((form) => [...source.matchAll(form)].map((match) => match[2] ?? match[1] ?? ''));

const breach = (path: string, layer: Layer, specifier: string): string | null => {
  if (specifier.startsWith('.')) {
    const room = posix.join(posix.dirname(path), specifier).split('/')[0] ?? '';
    return layer.rooms.includes(room) ? null : `${path} imports ${specifier}`;
  }
  const allowed = layer.packages === 'any' || layer.packages.includes(specifier);
  return allowed ? null : `${path} imports ${specifier}`;
};

/** Every breach of the table in one file. A computed import cannot be checked, so it is one too, but for `bin`, which loads bundles. */
const breachesOf = (path: string, source: string): readonly string[] => {
  const layer = LAYERS[path.split('/')[0] ?? ''];
  if (!layer) return [];
  const found = importsOf(source).flatMap((specifier) => breach(path, layer, specifier) ?? []);
  return layer !== LAYERS['bin'] && COMPUTED.test(source) ? [...found, `${path} imports a computed name`] : found;
};

const sourcesUnder = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NO_SOURCES.test(entry.name) ? [] : sourcesUnder(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });

const rooms = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !NO_SOURCES.test(entry.name))
  .map((entry) => entry.name)
  .filter((room) => sourcesUnder(room).length > 0);

describe('the rooms', () => {
  it('are the ones the table knows', () => {
    expect(rooms.filter((room) => !(room in LAYERS) && !FREE.includes(room))).toEqual([]);
  });

  it('import inward only', () => {
    expect(
      rooms.flatMap(sourcesUnder).flatMap((path) => breachesOf(path, readFileSync(join(ROOT, path), 'utf8'))),
    ).toEqual([]);
  });

  it('were all read: no file of a room escapes the check', () => {
    for (const room of rooms) {
      const walked = readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).filter(
        (path) => path.endsWith('.ts') && !path.includes('node_modules'),
      );
      expect(sourcesUnder(room), room).toHaveLength(walked.length);
    }
    expect(rooms).toEqual(expect.arrayContaining(['bin', 'domain', 'infrastructure', 'migrations', 'test']));
  });

  it('have imports to check: the patterns still match how this code is written', () => {
    const withImports = sourcesUnder('infrastructure').filter(
      (path) => importsOf(readFileSync(join(ROOT, path), 'utf8')).length > 0,
    );
    expect(withImports.length).toBeGreaterThan(sourcesUnder('infrastructure').length / 2);
  });
});

describe('a planted breach is found', () => {
  it.each([
    ['domain/a.ts', "import { x } from '../infrastructure/x.ts';"],
    ['domain/a.ts', "import type { X } from '../projections/x.ts';"],
    ['domain/vm/a.ts', "import { readFile } from 'node:fs/promises';"],
    ['domain/a.ts', "import {\n  a,\n  b,\n} from 'rxjs';"],
    ['domain/a.ts', "const late = await import('node:fs');"],
    ['domain/a.ts', 'const late = await import(name);'],
    ['domain/a.ts', "export * from '../migrations/x.ts';"],
    ['projections/audit/a.ts', "import '../../infrastructure/x.ts';"],
    ['projections/a.ts', "import { XMLParser } from 'fast-xml-parser';"],
    ['infrastructure/ledger/a.ts', "import { fold } from '../../projections/x.ts';"],
    ['migrations/a.ts', "import { x } from '../infrastructure/x.ts';"],
    ['bin/a.ts', "import { x } from '../test/x.ts';"],
  ])('%s: %s', (path, source) => {
    expect(breachesOf(path, source)).toHaveLength(1);
  });

  it.each([
    ['domain/a.ts', "import { z } from 'zod';"],
    ['domain/vm/a.ts', "import { ok } from '../result.ts';"],
    ['projections/a.ts', "import { hash } from 'node:crypto';\nimport type { E } from '../domain/event.ts';"],
    [
      'infrastructure/ledger/a.ts',
      "import { MIGRATIONS } from '../../migrations/migrations.ts';\nimport SQLite from 'better-sqlite3';",
    ],
    ['bin/commands/a.ts', "import packageJson from '../../package.json' with { type: 'json' };"],
    ['test/a.test.ts', "import { x } from '../bin/compose.ts';"],
  ])('and nothing else: %s: %s', (path, source) => {
    expect(breachesOf(path, source)).toEqual([]);
  });
});
