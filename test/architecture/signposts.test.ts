import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOMS = ['bin', 'domain', 'infrastructure', 'projections'];

const sources = (): readonly string[] =>
  ROOMS.flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' }).map((path) => join(room, path)),
  ).filter((path) => path.endsWith('.ts'));

type Signpost = { readonly from: string; readonly to: string; readonly title: string };

/** Places that say `docs/PAGE.md, "TITLE"` to whoever has a problem. */
const signposts = (): readonly Signpost[] =>
  sources().flatMap((from) =>
    [...readFileSync(from, 'utf8').matchAll(/(docs\/[\w/-]+\.md), "([^"]+)"/g)].map(([, to = '', title = '']) => ({
      from,
      to,
      title,
    })),
  );

test('a message that sends somebody to a section of the documentation names one that is there', () => {
  const found = signposts();
  expect(found.length).toBeGreaterThan(0);
  const leadNowhere = found.filter(({ to, title }) => !new RegExp(`^#+ ${title}$`, 'm').test(readFileSync(to, 'utf8')));
  expect(leadNowhere).toEqual([]);
});

const pages = (): readonly string[] => [
  'README.md',
  'bench/README.md',
  'test/lab/README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
];

test('a promise that names its test names one that is there', () => {
  const named = pages().flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => ({ page, path })),
  );
  expect(named.length).toBeGreaterThan(0);
  const missing = named.filter(({ path }) => !['', '.test.ts', '.ts'].some((end) => existsSync(path + end)));
  expect(missing).toEqual([]);
});
