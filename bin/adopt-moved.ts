import { existsSync } from 'node:fs';
import type { Fact } from '../domain/event.ts';
import type { Failure } from '../domain/failure.ts';
import type { Host } from '../domain/host/host.ts';
import type { Result } from '../domain/result.ts';
import { ok } from '../domain/result.ts';
import { bind } from '../domain/steps.ts';
import { findPool } from '../domain/volume/find.ts';
import { wordsOf } from '../domain/words.ts';
import { type Arguments, CHANGING, expectWords } from '../infrastructure/cli/arguments.ts';
import { runChange } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { eventsBetween } from '../infrastructure/ledger/fold.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { type Home, homeAt } from '../infrastructure/service/home.ts';
import type { Service } from '../infrastructure/service/service.ts';
import { built } from './changing.ts';
import { openService } from './compose.ts';

const PARTS: ReadonlySet<string> = new Set(['VolumeReidentified', 'TrashReidentified', 'PoolMoved']);

const lines = (facts: readonly Fact[]): readonly string[] =>
  facts.filter(({ type }) => PARTS.has(type)).map((fact) => escapeText(wordsOf(fact)));

/** Pools that lay in this home's own directories when it was called otherwise. One elsewhere stays where it is. */
const dirsIn = (host: Host, home: Home): readonly { readonly pool: string; readonly dir: string }[] =>
  [...host.pools.values()].flatMap((pool) => {
    if (pool.driver === 'lvm_thin') return [];
    const inHome = ({ kernels, pool: place }: Home): string =>
      pool.driver === 'linux-kernel' ? kernels : place(pool.name);
    const now = inHome(home);
    const relative = now.slice(home.dir.length);
    if (pool.dir === now || !pool.dir.endsWith(relative)) return [];
    const before = homeAt(pool.dir.slice(0, -relative.length));
    return inHome(before) === pool.dir && (pool.driver === 'linux-kernel' || existsSync(now))
      ? [{ pool: pool.name, dir: now }]
      : [];
  });

const shownSince = ({ ledger }: Service, position: number) => {
  const recorded = [...eventsBetween(ledger, position, currentHost(ledger).position)];
  const moved = lines(recorded.map(({ event }) => event as Fact));
  const text = moved.length === 0 ? 'nothing has moved\n' : `${moved.join('\n')}\n`;
  return { text, fields: { moved } };
};

const run = async (args: Arguments): Promise<Result<number, Failure>> => {
  const words = expectWords(args.values, [], 'adopt');
  if (!words.ok) return words;
  return runChange(openService(args, 'write'), args, async (service) => {
    const host = currentHost(service.ledger);
    const pool = args.text('pool') ?? null;
    const known = pool === null ? ok(null) : findPool(host, pool);
    if (!known.ok) return known;
    const dirs = dirsIn(host, service.home).filter((one) => pool === null || one.pool === pool);
    const command = await built('AdoptMoved', { pool, dirs });
    if (!command.ok) return command;
    const { position } = host;
    return ok({
      topic: 'adopt-moved',
      command: command.value,
      planned: ({ plan }) =>
        lines(plan.facts.map((fact) => bind<Fact>(fact, new Map())))
          .map((line) => `${line}\n`)
          .join(''),
      show: (after) => shownSince(after, position),
    });
  });
};

/** `adopt --moved`: the files of a copied or restored home. */
export const adoptMoved: Action = { options: { ...CHANGING, moved: 'flag', pool: 'value' }, help: '', run };
