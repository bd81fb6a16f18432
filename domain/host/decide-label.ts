import type { Context, Decision } from '../decision.ts';
import { failure } from '../failure.ts';
import { holdName } from '../holds.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok } from '../result.ts';
import type { SetLabel } from './commands.ts';
import type { Label } from './events.ts';
import type { Host } from './host.ts';

/** Stock's own labels have the numbers up to here and stay. */
const LAST_STOCK_LABEL = 8;

const SITE = 'global properties';

const remove = (host: Host, label: Label, context: Context): Decision => {
  if (label.index <= LAST_STOCK_LABEL) return err(failure('D_IN_USE', `${label.name} is one of the labels that stay`));
  const user = [...host.vms.values()].find((vm) => vm.properties['label'] === label.name);
  if (user) {
    const next = `domtrail vm prefs ${user.name} label red`;
    return err(failure('D_IN_USE', `label ${label.name} is that of ${user.name}`, { next }));
  }
  const builder = planBuilder(context.position);
  builder.fact({ type: 'LabelRemoved', label });
  return ok({ plan: builder.build(), holds: [holdName(SITE)] });
};

/** The rules of admin.label.Create and Remove (qubes-core-admin, utils.py): a number is no name, a color is 0xRRGGBB. */
export const decideSetLabel = (host: Host, { name, color }: SetLabel, context: Context): Decision => {
  const labels = host.site?.labels ?? [];
  const known = labels.find((label) => label.name === name);
  if (color === null) {
    return known
      ? remove(host, known, context)
      : err(failure('D_NOT_FOUND', `there is no label ${name}`, { next: 'domtrail label list' }));
  }
  const builder = planBuilder(context.position);
  if (known?.color === color) return ok({ plan: builder.build(), holds: [] });
  if (known) return err(failure('D_EXISTS', `there is a label ${name} already (${known.color})`));
  if (!/^[A-Za-z0-9_.-]+$/.test(name) || /^[0-9]+$/.test(name)) {
    return err(failure('D_PROPERTY_INVALID', 'a label has letters, digits, "_", "." and "-", and not only digits'));
  }
  if (!/^0x[0-9a-fA-F]{6}$/.test(color)) {
    return err(failure('D_PROPERTY_INVALID', `a color is written 0xRRGGBB, not ${JSON.stringify(color)}`));
  }
  const index = Math.max(LAST_STOCK_LABEL, ...labels.map((label) => label.index)) + 1;
  builder.fact({ type: 'LabelCreated', label: { index, name, color } });
  return ok({ plan: builder.build(), holds: [holdName(SITE)] });
};
