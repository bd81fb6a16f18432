import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';
import { isIpv4, isIpv6 } from './ip-address.ts';
import type { Destination, PortRange, Rule } from './rule.ts';

/** Names the option and its value, cut so that a message stays a message. */
export const invalid = (option: string, value: string, why: string): Result<never, Failure> => {
  const shown = JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  return err(failure('D_FIREWALL_RULE_INVALID', `${option}=${shown}: ${why}`));
};

const choice =
  <const T extends string>(option: string, allowed: readonly T[]) =>
  (value: string): Result<T, Failure> => {
    const found = allowed.find((one) => one === value);
    return found === undefined ? invalid(option, value, `must be ${allowed.join(' or ')}`) : ok(found);
  };

export const parseAction = choice('action', ['accept', 'drop']);
export const parseProto = choice('proto', ['tcp', 'udp', 'icmp']);
export const parseSpecial = choice('specialtarget', ['dns']);

const HOST_NAME = /^[a-z0-9._-]*$/;

const withPrefix = (value: string, address: string, prefix: string): Result<Destination, Failure> => {
  if (!/^[0-9]+$/.test(prefix)) return invalid('dsthost', value, 'the prefix length after "/" must be digits');
  if (isIpv6(address)) {
    return Number(prefix) > 128
      ? invalid('dsthost', value, 'an IPv6 prefix is at most 128 long')
      : ok({ kind: 'dst6', text: value });
  }
  if (!isIpv4(address)) return invalid('dsthost', value, 'only an IP address can have a prefix length');
  return Number(prefix) > 32
    ? invalid('dsthost', value, 'an IPv4 prefix is at most 32 long')
    : ok({ kind: 'dst4', text: value });
};

/**
 * A host, network or name. An address with a prefix stays as it was written, without one it gets the longest; everything
 * else is a host name, also 999.1.1.1 (stock looks at it the same way).
 */
export const parseDestination = (value: string): Result<Destination, Failure> => {
  const parts = value.split('/');
  const [address = '', prefix] = parts;
  if (parts.length > 2) return invalid('dsthost', value, 'has more than one "/"');
  if (prefix !== undefined) return withPrefix(value, address, prefix);
  if (isIpv6(value)) return ok({ kind: 'dst6', text: `${value}/128` });
  if (isIpv4(value)) return ok({ kind: 'dst4', text: `${value}/32` });
  return HOST_NAME.test(value)
    ? ok({ kind: 'dsthost', text: value })
    : invalid('dsthost', value, 'is no address, and a host name has only a-z, 0-9, ".", "_" and "-"');
};

/** A whole number as Python's int() reads it, ASCII only: blanks around, a plus, single underscores between digits. */
const INTEGER = /^[\t-\r\u001c- ]*\+?([0-9]+(?:_[0-9]+)*)[\t-\r\u001c- ]*$/;

const integer = (text: string): number | null => {
  const digits = INTEGER.exec(text)?.[1];
  return digits === undefined ? null : Number(digits.replaceAll('_', ''));
};

export const parsePorts = (value: string): Result<PortRange, Failure> => {
  const dash = value.indexOf('-');
  const from = integer(dash < 0 ? value : value.slice(0, dash));
  const to = dash < 0 ? from : integer(value.slice(dash + 1));
  if (from === null || to === null) return invalid('dstports', value, 'must be a port or a range like 80-90');
  if (from > 65_535 || to > 65_535) return invalid('dstports', value, 'ports end at 65535');
  return from > to ? invalid('dstports', value, 'the range ends before it begins') : ok({ from, to });
};

export const parseIcmpType = (value: string): Result<number, Failure> =>
  /^[0-9]{1,3}$/.test(value) && Number(value) <= 255
    ? ok(Number(value))
    : invalid('icmptype', value, 'must be a number from 0 to 255');

/** The last second of the year 9999, where stock's dates end. */
const LAST_SECOND = 253_402_300_799;

export const parseExpire = (value: string): Result<string, Failure> =>
  /^[0-9]+$/.test(value) && Number(value) <= LAST_SECOND
    ? ok(value)
    : invalid('expire', value, 'must be a time in Unix seconds, before the year 10000');

/** Rule text may hold letters, digits and `:;,./-_[]`; a comment also blanks. No quote, no `<`, no control character. */
export const parseComment = (value: string): Result<string, Failure> =>
  /^[A-Za-z0-9:;,./_[\] -]*$/.test(value)
    ? ok(value)
    : invalid('comment', value, 'may hold letters, digits, blanks and :;,./-_[] only');

/** What options ask of each other. */
export const checkTogether = (rule: Rule): Result<Rule, Failure> => {
  if (rule.ports && rule.proto !== 'tcp' && rule.proto !== 'udp') {
    return invalid('dstports', `${rule.ports.from}-${rule.ports.to}`, 'needs proto=tcp or proto=udp');
  }
  if (rule.icmpType !== null && rule.proto !== 'icmp') {
    return invalid('icmptype', `${rule.icmpType}`, 'needs proto=icmp');
  }
  return ok(rule);
};
