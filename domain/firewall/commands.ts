import * as z from 'zod';
import { vmNameSchema } from '../schemas.ts';
import { LONGEST_LINE } from './parse.ts';
import { MOST_RULES } from './rule.ts';

/** What a line means is judged when it is decided, so that a refused rule is in the log with its reason. */
const line = z.string().max(LONGEST_LINE);
const number = z
  .int()
  .min(0)
  .max(MOST_RULES - 1);

/** The rules of a firewall.xml that somebody else wrote. */
export const adoptFirewall = z.strictObject({ vm: vmNameSchema, rules: z.array(line).max(MOST_RULES) });
export const setFirewall = z.strictObject({ vm: vmNameSchema, rules: z.array(line).max(MOST_RULES) });
/** `before`: the number of the rule that it goes in front of; null for the end. */
export const addRule = z.strictObject({ vm: vmNameSchema, rule: line, before: number.nullable() });
/** By number or by text; the other one is null. */
export const removeRule = z.union([
  z.strictObject({ vm: vmNameSchema, number, rule: z.null() }),
  z.strictObject({ vm: vmNameSchema, number: z.null(), rule: line }),
]);
export const firewallTarget = z.strictObject({ vm: vmNameSchema });

export type SetFirewall = z.infer<typeof setFirewall>;
export type AddRule = z.infer<typeof addRule>;
export type RemoveRule = z.infer<typeof removeRule>;
export type FirewallTarget = z.infer<typeof firewallTarget>;
