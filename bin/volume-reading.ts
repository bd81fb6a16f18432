import { formatBytes } from '../domain/bytes.ts';
import { failure } from '../domain/failure.ts';
import { parseVolumeKey } from '../domain/names.ts';
import { err, ok } from '../domain/result.ts';
import { volumesOf } from '../domain/vm/vm.ts';
import { findVolume } from '../domain/volume/find.ts';
import { expectWords } from '../infrastructure/cli/arguments.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson } from '../infrastructure/cli/output.ts';
import { table } from '../infrastructure/cli/text.ts';
import { sortedVms, volumeItem } from '../infrastructure/cli/views.ts';
import { volumeInfoText } from '../infrastructure/cli/volume-info-text.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { driverFor, openReading } from './compose.ts';

const listing = (help: string): Action => ({
  options: {},
  help,
  run: async (args) => {
    const words = expectWords(args.values, ['VM'], 'volume', 1);
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger } = reading.value;
    closeLedger(ledger);
    const [only] = words.value;
    if (only !== undefined && !host.vms.has(only as never))
      return err(failure('D_NOT_FOUND', `there is no VM ${only}`, { next: 'domtrail vm list' }));
    const vms = sortedVms(host).filter((vm) => only === undefined || vm.name === only);
    const items = vms.flatMap((vm) => volumesOf(vm).map((volume) => volumeItem(host, vm, volume, driverFor)));
    if (args.flag('json')) outJson('volume-list', asOf, { items });
    else {
      const rows = items.map((one) => [
        `${one.vm}:${one.name}`,
        one.pool,
        one.state,
        formatBytes(one.size),
        `${one.revisions.length}`,
        one.source ?? '-',
      ]);
      out(table(['VOLUME', 'POOL', 'STATE', 'SIZE', 'REVS', 'SOURCE'], rows, lineWidth()));
    }
    return ok(0);
  },
});

const information = (help: string): Action => ({
  options: {},
  help,
  run: async (args) => {
    const words = expectWords(args.values, ['VM:VOLUME'], 'volume');
    if (!words.ok) return words;
    const key = parseVolumeKey(words.value[0] ?? '');
    if (!key.ok) return key;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger } = reading.value;
    closeLedger(ledger);
    const found = findVolume(host, key.value.vm, key.value.volume);
    if (!found.ok) return found;
    const item = volumeItem(host, found.value.vm, found.value.volume, driverFor);
    if (args.flag('json')) outJson('volume-info', asOf, { item });
    else out(volumeInfoText(item));
    return ok(0);
  },
});

/** `volume list` and `volume info`: what looks and changes nothing. */
export const volumeReading = (help: string): { readonly list: Action; readonly info: Action } => ({
  list: listing(help),
  info: information(help),
});
