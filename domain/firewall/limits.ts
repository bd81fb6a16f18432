import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';
import { MOST_RULES, type Rule } from './rule.ts';
import { entryRule } from './texts.ts';

/** A QubesDB daemon refuses a longer value (spec: C.2). Rule text is ASCII, so characters are bytes. */
const LONGEST_ENTRY = 3071;

/** D_FIREWALL_TOO_LARGE for a rule that QubesDB could not hold, expired or not. */
export const mustFit = (rule: Rule): Result<Rule, Failure> => {
  const { length } = entryRule({ ...rule, expire: null }, 0) ?? '';
  return length <= LONGEST_ENTRY
    ? ok(rule)
    : err(
        failure('D_FIREWALL_TOO_LARGE', `the rule has ${length} bytes in QubesDB, where ${LONGEST_ENTRY} is the most`),
      );
};

/** D_FIREWALL_TOO_LARGE for a list whose last number would have a fifth digit. */
export const mustNotBeTooMany = (count: number): Result<null, Failure> =>
  count <= MOST_RULES
    ? ok(null)
    : err(failure('D_FIREWALL_TOO_LARGE', `${count} rules are too many: a firewall has at most ${MOST_RULES}`));
