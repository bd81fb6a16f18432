import { actorText } from '../infrastructure/cli/event-item.ts';
import { localTime } from '../infrastructure/cli/text.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { eventAt, findCommand, type StoredCommand } from '../infrastructure/ledger/queries.ts';
import type { Teller } from '../projections/volumes/lineage-svg.ts';

export type FindCommand = (id: string) => StoredCommand | null;

/** Commands by their id, each read once. */
export const knownCommands = (ledger: Ledger): FindCommand => {
  const commands = new Map<string, StoredCommand | null>();
  return (id) => {
    const known = commands.get(id);
    if (known !== undefined) return known;
    const found = findCommand(ledger, id);
    const command = found.ok ? found.value : null;
    commands.set(id, command);
    return command;
  };
};

/** Tells of events when they were and who caused them. */
export const tellerOf = (ledger: Ledger, commandOf: FindCommand = knownCommands(ledger)): Teller => {
  return (position) => {
    const recorded = eventAt(ledger, position);
    if (!recorded) return null;
    const command = commandOf(recorded.command);
    return {
      when: localTime(recorded.time),
      command: command?.name ?? '-',
      by: actorText(command?.actor ?? null),
      reason: command?.reason ?? null,
    };
  };
};
