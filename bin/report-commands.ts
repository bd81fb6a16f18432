import type { Recorded } from '../domain/event.ts';
import type { SeenUsage } from '../domain/pool/usage.ts';
import { actorText } from '../infrastructure/cli/event-item.ts';
import { decidedBy } from '../infrastructure/ledger/outcomes.ts';
import type { StoredCommand } from '../infrastructure/ledger/queries.ts';
import type { PoolSample, ReportCommand } from '../projections/report/report.ts';
import type { FindCommand } from './event-teller.ts';

/** The object in a payload, for a line. */
export const objectIn = (payload: unknown): string => {
  const fields = payload as Readonly<Record<string, unknown>>;
  const vm = fields['vm'] ?? fields['name'];
  if (typeof vm !== 'string') return '';
  return typeof fields['volume'] === 'string' ? `${vm}:${fields['volume']}` : vm;
};

const commandOf = (stored: StoredCommand, events: readonly Recorded[]): ReportCommand => ({
  id: stored.id,
  name: stored.name,
  object: objectIn(stored.payload),
  by: actorText(stored.actor),
  reason: stored.reason,
  received: stored.receivedAt,
  ...decidedBy(events),
  first: events[0]?.position ?? stored.outcome.firstPosition,
  last: events.at(-1)?.position ?? stored.outcome.firstPosition,
});

const samplesOf = (stored: StoredCommand, { first }: ReportCommand): readonly PoolSample[] => {
  const usage = stored.context['usage'] as SeenUsage | null | undefined;
  return (usage?.pools ?? []).map((pool) => ({
    pool: pool.pool,
    time: stored.receivedAt,
    position: first,
    bytes: pool.bytes,
    usedBytes: pool.usedBytes,
    metadataBytes: pool.metadataBytes,
    metadataUsedBytes: pool.metadataUsedBytes,
  }));
};

type Told = { readonly commands: readonly ReportCommand[]; readonly samples: readonly PoolSample[] };

/** The commands behind events, in their order, as they stood after the last of these; and what they saw of the pools. */
export const commandsBehind = (events: readonly Recorded[], find: FindCommand): Told => {
  const byCommand = new Map<string, Recorded[]>();
  for (const one of events) {
    const known = byCommand.get(one.command);
    if (known) known.push(one);
    else byCommand.set(one.command, [one]);
  }
  const commands: ReportCommand[] = [];
  const samples: PoolSample[] = [];
  for (const [id, some] of byCommand) {
    const stored = find(id);
    if (!stored) continue;
    const command = commandOf(stored, some);
    commands.push(command);
    samples.push(...samplesOf(stored, command));
  }
  return { commands, samples };
};
