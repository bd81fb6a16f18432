import { failure } from '../domain/failure.ts';
import { linesOf, rulesOf } from '../domain/firewall/firewall.ts';
import { isExpired } from '../domain/firewall/rule.ts';
import { lineOf } from '../domain/firewall/texts.ts';
import type { VmName } from '../domain/names.ts';
import { err, ok } from '../domain/result.ts';
import { expectWords } from '../infrastructure/cli/arguments.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../infrastructure/cli/output.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { openReading } from './compose.ts';

/** The rules of a VM as admin.vm.firewall.Get writes them, one a line. */
export const getWith = (help: string): Action => ({
  options: { number: 'flag' },
  help,
  run: async (args) => {
    const words = expectWords(args.values, ['VM'], 'firewall');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger, past } = reading.value;
    closeLedger(ledger);
    const [name] = words.value;
    const vm = host.vms.get(name as VmName);
    if (!vm) return err(failure('D_NOT_FOUND', `there is no VM ${name}`, { next: 'domtrail vm list' }));
    const now = past ? (asOf.time ?? 0) : Date.now();
    const rules = rulesOf(vm.firewall);
    const live = rules.flatMap((rule, number) => (isExpired(rule, now) ? [] : [{ number, line: lineOf(rule) }]));
    if (args.flag('json')) {
      const item = {
        vm: vm.name,
        rules: live.map(({ line }) => line),
        numbers: live.map(({ number }) => number),
        isDefault: vm.firewall === null,
        expired: linesOf(vm.firewall).length - live.length,
      };
      outJson('firewall-get', asOf, { item });
    } else
      out(
        live
          .map(({ number, line }) => `${args.flag('number') ? `${`${number}`.padStart(4)}  ` : ''}${line}\n`)
          .join(''),
      );
    return ok(0);
  },
});
