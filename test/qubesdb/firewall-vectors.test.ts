import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { entriesOf, publication } from '../../domain/firewall/entries.ts';
import { parseRule } from '../../domain/firewall/parse.ts';
import type { Rule } from '../../domain/firewall/rule.ts';
import type { Family } from '../../domain/firewall/texts.ts';
import type { KeyChange } from '../../domain/qubesdb/key-change.ts';
import { qubesDbClient } from '../../infrastructure/qubesdb/client.ts';
import { embeddedQubesDb } from '../../infrastructure/qubesdb/embedded.ts';
import { startDaemon } from './daemon.ts';

// Made by the real NetVMMixin.reload_firewall_for_vm (vectors/README.md).
type Case = {
  readonly name: string;
  readonly input: {
    readonly rules: readonly string[];
    readonly ip: string | null;
    readonly ip6: string | null;
    readonly qubesdb_before: Readonly<Record<string, string>>;
  };
  readonly expected: {
    readonly ops: readonly (readonly string[])[];
    readonly db: Readonly<Record<string, string>>;
    readonly entries: Readonly<Record<'4' | '6', Readonly<Record<string, string>>>>;
  };
};

const CASES = (
  JSON.parse(readFileSync(new URL('../vectors/firewall-qubesdb.json', import.meta.url), 'utf8')) as {
    readonly cases: readonly Case[];
  }
).cases;

const NOW = Date.UTC(2026, 0, 1);

const ruleOf = (text: string): Rule => {
  const rule = parseRule(text);
  if (!rule.ok) throw new Error(rule.error.message);
  return rule.value;
};

const publishing = ({ rules, ip, ip6 }: Case['input']): readonly KeyChange[] => {
  const parsed = rules.map(ruleOf);
  const at = (family: Family, address: string | null) =>
    address === null ? [] : publication(address, entriesOf(parsed, family, NOW), true);
  return [...at(4, ip), ...at(6, ip6)];
};

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'domtrail-qubesdb-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

describe('the entries of a firewall are those that stock writes, in its order', () => {
  test.each(CASES)('$name: the requests', ({ input, expected }) => {
    const ops = publishing(input).map((one) =>
      'remove' in one ? ['rm', one.remove] : ['write', one.write, one.value],
    );
    expect(ops).toEqual(expected.ops);
  });

  test.each(CASES)('$name: the entries of each family', ({ input, expected }) => {
    const rules = input.rules.map(ruleOf);
    for (const family of [4, 6] as const) {
      expect({ policy: 'drop', ...Object.fromEntries(entriesOf(rules, family, NOW)) }).toEqual(
        expected.entries[family],
      );
    }
  });

  test.each(CASES)('$name: what a daemon and the embedded default hold afterwards', async ({ input, expected }) => {
    const before = Object.entries(input.qubesdb_before).map(([write, value]) => ({ write, value }));
    const path = join(dir, 'qubesdb.net.sock');
    const daemon = await startDaemon(path);
    const client = qubesDbClient({ path, timeoutMs: 2000 });
    const embedded = embeddedQubesDb({ directory: dir, bootId: 'boot-1' });
    for (const changes of [before, publishing(input)]) {
      expect(await client.change(changes)).toMatchObject({ ok: true });
      expect(await embedded.change('net', changes)).toMatchObject({ ok: true });
    }
    await client.close();
    expect(Object.fromEntries(daemon.keys)).toEqual(expected.db);
    const kept = await embedded.read('net', '/');
    expect(kept.ok && Object.fromEntries(kept.value)).toEqual(expected.db);
    await daemon.stop();
  });
});
