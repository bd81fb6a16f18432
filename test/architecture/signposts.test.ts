import { readdirSync, readFileSync } from 'node:fs';
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
