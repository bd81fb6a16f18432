/** Where a rule's packets go. `text` is stock's normal form: `10.0.0.0/8`, `2001:db8::1/128`, or a host name. */
export type Destination =
  | { readonly kind: 'dst4'; readonly text: string }
  | { readonly kind: 'dst6'; readonly text: string }
  | { readonly kind: 'dsthost'; readonly text: string };

/** Both ends belong to the range; one port is a range of one. */
export type PortRange = { readonly from: number; readonly to: number };

/**
 * One firewall rule, as qubes/firewall.py has it (spec: qubes-xml-firewall-qubesdb B.4). Rules are made by `parseRule` and by
 * the readers of firewall.xml only, so every value here has been checked. null: the option is not given.
 */
export type Rule = {
  readonly action: 'accept' | 'drop';
  readonly proto: 'tcp' | 'udp' | 'icmp' | null;
  readonly destination: Destination | null;
  readonly ports: PortRange | null;
  readonly icmpType: number | null;
  readonly special: 'dns' | null;
  /** epoch seconds as digits, kept as they were given (leading zeros too) */
  readonly expire: string | null;
  readonly comment: string | null;
};

/**
 * A rule as one line in normal form, expired or not: how the log, commands and the state hold rules. `parseRule` gives back
 * the rule it was made from.
 */
export type RuleLine = string & { readonly brand: 'RuleLine' };

/**
 * The rules of a VM as the log has them. A rule that was expired when it was given keeps its place, so that numbers are
 * those of the list as given (stock does the same); it has no effect until ExpireRule takes it out. `asOf` is when the list
 * was decided, in epoch milliseconds: what had expired by then is not in firewall.xml.
 */
export type Firewall = { readonly rules: readonly RuleLine[]; readonly asOf: number };

/** Numbers of rules are QubesDB keys of four digits: an agent refuses a fifth (spec: B.6). */
export const MOST_RULES = 10_000;

/** The first epoch millisecond at which a rule is expired, null for never: its time has to be earlier than now (spec: B.4). */
export const expiredFrom = ({ expire }: Pick<Rule, 'expire'>): number | null =>
  expire === null ? null : Number(expire) * 1000 + 1;

/** `now` in epoch milliseconds. */
export const isExpired = (rule: Pick<Rule, 'expire'>, now: number): boolean => {
  const from = expiredFrom(rule);
  return from !== null && from <= now;
};
