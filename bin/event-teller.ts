import { actorText } from '../infrastructure/cli/event-item.ts';
import { localTime } from '../infrastructure/cli/text.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { eventAt, findCommand, type StoredCommand } from '../infrastructure/ledger/queries.ts';
import type { Told } from '../projections/volumes/lineage-svg.ts';

/** Tells of events when they were and who caused them; every command is read once. */
export const tellerOf = (ledger: Ledger): ((position: number) => Told | null) => {
  const commands = new Map<string, StoredCommand | null>();
  const commandOf = (id: string): StoredCommand | null => {
    const known = commands.get(id);
    if (known !== undefined) return known;
    const found = findCommand(ledger, id);
    const command = found.ok ? found.value : null;
    commands.set(id, command);
    return command;
  };
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
