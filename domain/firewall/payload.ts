import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';

/** Where Python's splitlines() ends a line, of what ASCII has; one at the very end begins no further line. */
const LINE_END = /\r\n|[\n\r\v\f\u001c-\u001e]/;

/**
 * The lines of a whole list as admin.vm.firewall.Set takes it (spec: B.5). An empty text is refused as there: it looks like a
 * list that got lost, and would block everything.
 */
export const linesOfPayload = (text: string): Result<readonly string[], Failure> => {
  if (text === '') {
    return err(
      failure('D_FIREWALL_RULE_INVALID', 'the list of rules is empty', {
        next: 'to block everything, set the one rule: action=drop',
      }),
    );
  }
  if (/[^\0-\u007f]/.test(text))
    return err(failure('D_FIREWALL_RULE_INVALID', 'the rules hold other characters than ASCII'));
  const lines = text.split(LINE_END);
  return ok(lines.at(-1) === '' ? lines.slice(0, -1) : lines);
};
