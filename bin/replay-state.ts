import { exitOf } from '../domain/failure.ts';
import { entityOf, type Host } from '../domain/host/host.ts';
import { volumesOf } from '../domain/vm/vm.ts';
import type { Arguments } from '../infrastructure/cli/arguments.ts';
import { out, outJson } from '../infrastructure/cli/output.ts';
import { escapeText, table } from '../infrastructure/cli/text.ts';
import { foldTo } from '../infrastructure/ledger/fold.ts';
import { timeOf } from '../infrastructure/ledger/queries.ts';
import { storedValues } from '../infrastructure/ledger/state.ts';
import type { Reading } from './compose.ts';

const situationsOf = (host: Host): string => {
  const rows = [...host.vms.values()].flatMap((vm) =>
    volumesOf(vm).map(({ spec, situation, revisions }) => [
      spec.key,
      vm.power.is,
      situation.is,
      'current' in situation ? (situation.current?.id ?? '-') : '-',
      'session' in situation ? situation.session.disk.id : '-',
      `${revisions.length}`,
    ]),
  );
  return rows.length === 0
    ? ''
    : table(['VOLUME', 'VM', 'STATE', 'COMMITTED', 'SESSION', 'REVS'], rows, Number.POSITIVE_INFINITY);
};

/** The state that the events up to a position give. */
export const tellState = (args: Arguments, { ledger }: Reading, position: number): number => {
  const host = foldTo(ledger, position);
  const asOf = { position: host.position, time: timeOf(ledger, host.position) };
  const { vms, pools, operations, trash, site } = host;
  if (args.flag('json')) {
    const item = {
      site,
      pools: [...pools.values()],
      vms: [...vms.values()],
      operations: [...operations.values()],
      trash: [...trash.values()],
    };
    outJson('replay', asOf, { item });
    return 0;
  }
  out(
    `state after ev:${host.position}: ${vms.size} VMs, ${pools.size} pools, ${operations.size} commands under way, ${trash.size} disks in the trash\n`,
  );
  out(situationsOf(host));
  return 0;
};

/** Whether the values that the ledger keeps are those that its events give. */
export const compareState = (args: Arguments, { ledger, asOf }: Reading): number => {
  const { position, values } = storedValues(ledger);
  const host = foldTo(ledger, position);
  const differing = [...values].flatMap(([key, stored]) => {
    const folded = JSON.stringify(entityOf(host, key)) ?? null;
    return folded === stored
      ? []
      : [
          {
            key,
            stored: JSON.parse(stored) as unknown,
            folded: folded === null ? null : (JSON.parse(folded) as unknown),
          },
        ];
  });
  const count = host.vms.size + host.pools.size + host.operations.size + host.trash.size + (host.site ? 1 : 0);
  const missing = count - (values.size - differing.filter(({ folded }) => folded === null).length);
  if (args.flag('json')) outJson('replay', asOf, { item: { position, values: values.size, missing, differing } });
  else {
    for (const { key, stored, folded } of differing.slice(0, 5)) {
      out(
        `! ${escapeText(key)}\n  stored: ${escapeText(JSON.stringify(stored))}\n  folded: ${escapeText(JSON.stringify(folded))}\n`,
      );
    }
    const same = differing.length === 0 && missing === 0;
    out(
      `the state stored at ev:${position} has ${values.size} values: ${same ? 'what the events give' : `${differing.length} differ, ${missing} are missing`}\n`,
    );
  }
  return differing.length === 0 && missing === 0 ? 0 : exitOf('D_VERIFY');
};
