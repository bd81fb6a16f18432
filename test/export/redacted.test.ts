import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROJECTIONS } from '../../bin/compose.ts';
import type { Command } from '../../domain/decide.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { writeBundle } from '../../infrastructure/export/write-bundle.ts';
import { type Ledger, readHead } from '../../infrastructure/ledger/ledger.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { readQubesXml } from '../../infrastructure/qubes-xml/read.ts';
import { firstBreach, replayLog } from '../../infrastructure/service/replay.ts';
import { init, lvmPool } from '../domain/commands.ts';
import { given } from '../domain/given.ts';
import { wideHost } from '../domain/hosts.ts';
import { must, open, temporaryDirectory } from '../ledger/fixture.ts';
import { choices, commandFor } from '../runner/choices.ts';
import { HISTORIC_BUGS } from '../scenarios/historic-bugs.ts';
import { writeHistory } from '../scenarios/write-history.ts';
import { SECRETS, secretiveLedger } from './secretive.ts';

const bundleOf = (ledger: Ledger, after = 0, to = readHead(ledger).position): Ledger => {
  const file = join(temporaryDirectory(), 'bundle.db');
  must(writeBundle(ledger, file, { after, to, redact: true, projections: PROJECTIONS }, false));
  return open(file, 'read', PROJECTIONS);
};

const replayOf = (ledger: Ledger, to: number, after = 0) => {
  const { difference, breaches, ...counts } = replayLog(ledger, { after, to }, INVARIANTS);
  return {
    ...counts,
    difference: difference && [difference.position, difference.name],
    breaches: breaches.map((one) => [one.invariant, one.recorded.position]),
  };
};

const failing = (ledger: Ledger) => verifyLedger(ledger).checks.filter(({ ok }) => !ok);

/** Every secret word in the bytes of a file, whatever its case. */
const found = (file: string, words: readonly string[]): readonly string[] => {
  const bytes = readFileSync(file, 'latin1').toLowerCase();
  return words
    .filter((word) => bytes.includes(word))
    .map((word) => {
      const at = bytes.indexOf(word);
      return bytes.slice(at - 100, at + 60);
    });
};

const leaves = (value: unknown, path = ''): readonly string[] =>
  value !== null && typeof value === 'object'
    ? Object.entries(value).flatMap(([key, one]) => leaves(one, `${path}.${key}`))
    : [`${path} = ${String(value)}`];

/** Where the first event that would be decided otherwise differs. */
const otherwise = (ledger: Ledger, to: number): readonly string[] => {
  const { difference } = replayLog(ledger, { after: 0, to }, []);
  const [was, is] = [new Set(leaves(difference?.recorded)), new Set(leaves(difference?.decided))];
  const only = (one: ReadonlySet<string>, other: ReadonlySet<string>): readonly string[] =>
    [...one].filter((leaf) => !other.has(leaf));
  return difference ? [difference.name, ...only(was, is), '->', ...only(is, was)] : [];
};

describe('a redacted bundle', () => {
  test('holds no name, no address and no text of the log, whole or in part, and verifies and replays as the log does', () => {
    const ledger = secretiveLedger();
    const bundle = bundleOf(ledger);
    expect(found(bundle.file, SECRETS)).toEqual([]);
    expect(failing(bundle)).toEqual([]);
    const to = readHead(ledger).position;
    expect(otherwise(bundle, to)).toEqual([]);
    expect(replayOf(bundle, to)).toEqual(replayOf(ledger, to));
    const part = bundleOf(ledger, 40, to - 5);
    expect(found(part.file, SECRETS)).toEqual([]);
    expect(failing(part)).toEqual([]);
    expect(replayOf(part, to - 5, 40)).toEqual(replayOf(ledger, to - 5, 40));
  });

  test.each(HISTORIC_BUGS)('of $title breaks the same at the same events', ({ history, invariant }) => {
    const ledger = writeHistory(history());
    const bundle = bundleOf(ledger);
    expect(failing(bundle)).toEqual([]);
    const to = readHead(ledger).position;
    expect(replayOf(bundle, to)).toEqual(replayOf(ledger, to));
    const wanted = INVARIANTS.filter(({ name }) => name === invariant);
    const first = firstBreach(bundle, { after: 0, to }, wanted);
    expect(first?.recorded.position).toBe(firstBreach(ledger, { after: 0, to }, wanted)?.recorded.position);
    expect(found(bundle.file, ['work', 'fedora', 'ada'])).toEqual([]);
  });
});

type Vector = { readonly name: string; readonly input: string };
const VECTORS = new Map(
  (
    JSON.parse(readFileSync(new URL('../vectors/qubes-xml.json', import.meta.url), 'utf8')) as { cases: Vector[] }
  ).cases.map((one) => [one.name, one.input]),
);

describe('a redacted bundle of the adoption of', () => {
  test.each(['typical', 'all-props', 'devices'])('%s is decided again as it was', (name) => {
    const document = must(readQubesXml(VECTORS.get(name) ?? ''));
    const story = given().after(init(lvmPool('lvm')));
    const payload = { digest: 'ab'.repeat(32), document, firewalls: [] };
    story.after({ name: 'AdoptHost', payload } as Command);
    const bundle = bundleOf(writeHistory(story));
    expect(otherwise(bundle, story.host.position)).toEqual([]);
    const names = [...story.host.vms.keys()].filter((vm) => vm !== 'dom0' && vm.length > 4);
    expect(names.length).toBeGreaterThan(0);
    expect(found(bundle.file, names)).toEqual([]);
  });
});

test('a redacted bundle of whatever may happen on a host replays as the log does', () => {
  fc.assert(
    fc.property(choices(30), (draws) => {
      const story = wideHost();
      for (const choice of draws) {
        story.now += 1000;
        const command = commandFor(choice, story.host);
        if (command) story.submit(command);
      }
      const bundle = bundleOf(writeHistory(story));
      expect(otherwise(bundle, story.host.position)).toEqual([]);
      expect(failing(bundle)).toEqual([]);
    }),
    { numRuns: 2 },
  );
});
