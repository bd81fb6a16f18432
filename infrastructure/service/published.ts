import type { Failure } from '../../domain/failure.ts';
import { entriesOf, keysOf } from '../../domain/firewall/entries.ts';
import { rulesOf } from '../../domain/firewall/firewall.ts';
import type { Family } from '../../domain/firewall/texts.ts';
import type { Host } from '../../domain/host/host.ts';
import { addressOf } from '../../domain/network/addresses.ts';
import { netvmOf, runs } from '../../domain/network/network.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Vm } from '../../domain/vm/vm.ts';
import type { QubesDb } from '../qubesdb/qubesdb.port.ts';

/** What lies in a netvm for one address of a VM, and what the log says should. */
export type Published = {
  readonly vm: Vm;
  readonly netvm: Vm;
  readonly address: string;
  readonly wanted: ReadonlyMap<string, string>;
  readonly found: ReadonlyMap<string, string>;
};

const FAMILIES: readonly Family[] = [4, 6];

/** Every address of a running VM whose netvm runs. `now` in epoch milliseconds, for a netvm that was told nothing yet. */
export async function* publishedIn(
  host: Host,
  { db, now }: { readonly db: QubesDb; readonly now: number },
): AsyncGenerator<Result<Published, Failure>> {
  for (const vm of host.vms.values()) {
    const netvm = netvmOf(host, vm);
    if (!netvm || !runs(vm) || !runs(netvm)) continue;
    const asOf = vm.published?.netvm === netvm.name ? vm.published.asOf : now;
    for (const family of FAMILIES) {
      const address = addressOf(host, vm, family);
      if (address === null) continue;
      const wanted = keysOf(address, entriesOf(rulesOf(vm.firewall), family, asOf));
      const found = await db.read(netvm.name, `/qubes-firewall/${address}`);
      yield found.ok ? ok({ vm, netvm, address, wanted, found: found.value }) : found;
    }
  }
}
