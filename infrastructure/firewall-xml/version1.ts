import { type Failure, failure } from '../../domain/failure.ts';
import { isIpv4, isIpv6 } from '../../domain/firewall/ip-address.ts';
import { ruleFromOptions } from '../../domain/firewall/parse.ts';
import type { Rule } from '../../domain/firewall/rule.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Element, type Node, refused } from './tree.ts';

type Action = Rule['action'];
type Option = readonly [name: string, value: string];

/** A rule as stock reads it, and what a person should know about that. */
type Read = { readonly options: readonly Option[]; readonly note: string | null };

const unsafe = (why: string): Result<never, Failure> =>
  err(failure('D_FIREWALL_XML_UNSAFE', `stock reads this firewall.xml as more open than it says: ${why}`));

/** A misreading that lets less through is stock's and is kept; one that lets more through is refused. */
const misread = (opens: boolean, why: string): Result<string, Failure> => (opens ? unsafe(why) : ok(why));

const NETMASK = /^[\t\n ]*\+?([0-9]+(?:_[0-9]+)*)[\t\n ]*$/;

/** As Python's int(); 32 where none is given; null for what is no number. */
const netmaskOf = (given: string | undefined): number | null => {
  if (given === undefined) return 32;
  const digits = NETMASK.exec(given)?.[1];
  return digits === undefined ? null : Number(digits.replaceAll('_', ''));
};

/** Stock's two slips with a netmask (spec: B.3), as people should hear of them. */
const slipIn = (address: string, given: string | undefined, action: Action): Result<string | null, Failure> => {
  if (netmaskOf(given) === 0)
    return misread(action === 'drop', `${address} with netmask 0 is read as that one address`);
  return given === undefined && isIpv6(address)
    ? misread(action === 'accept', `${address} without a netmask is read as ${address}/32`)
    : ok(null);
};

/** The destination of a rule. A netmask of 0 becomes the longest prefix, and a missing one 32, also for IPv6. */
const destinationOf = (rule: Element, action: Action): Result<Read, Failure> => {
  const given = rule.attributes.get('netmask');
  const netmask = netmaskOf(given);
  if (netmask === null) return refused(`netmask ${JSON.stringify(given)} is no number`);
  const address = rule.attributes.get('address');
  if (!address) return ok({ options: [], note: null });
  if (!isIpv6(address) && !isIpv4(address)) return ok({ options: [['dsthost', address]], note: null });
  const slip = slipIn(address, given, action);
  if (!slip.ok) return slip;
  const longest = isIpv6(address) ? 128 : 32;
  return ok({ options: [['dsthost', `${address}/${netmask === 0 ? longest : netmask}`]], note: slip.value });
};

const portsOf = ({ attributes }: Element): readonly Option[] => {
  const port = attributes.get('port');
  const last = attributes.get('toport');
  if (!port) return [];
  return [['dstports', last ? `${port}-${last}` : port]];
};

const ruleOptions = (node: Node, action: Action): Result<Read, Failure> => {
  if (node.is === 'text') throw new Error('text is no rule');
  if (node.is === 'other') {
    const note = misread(
      action === 'accept' || node.what !== 'comment',
      `a ${node.what} is read as a rule that matches everything`,
    );
    return note.ok ? ok({ options: [['action', action]], note: note.value }) : note;
  }
  const destination = destinationOf(node, action);
  if (!destination.ok) return destination;
  const ports = portsOf(node);
  const proto = node.attributes.get('proto') || (ports.length > 0 ? 'tcp' : 'any');
  const expire = node.attributes.get('expire');
  const options: readonly Option[] = [
    ['action', action],
    ...destination.value.options,
    ...(proto === 'any' ? [] : [['proto', proto] as const]),
    ...ports,
    ...(expire ? [['expire', expire] as const] : []),
  ];
  return ok({ options, note: destination.value.note });
};

export type Version1 = { readonly rules: readonly Rule[]; readonly notes: readonly string[] };

/** The rules of a document of version 1, from before Qubes 4.0 (spec: B.3). `notes`: where they let less through than they say. */
export const rulesOfVersion1 = (root: Element): Result<Version1, Failure> => {
  const policy = root.attributes.get('policy');
  if (policy !== 'allow' && policy !== 'deny') return refused('its policy is neither allow nor deny');
  const actionFor = (key: string): Action => ((root.attributes.get(key) ?? policy) === 'allow' ? 'accept' : 'drop');
  const lists: (readonly Option[])[] = [
    [
      ['action', actionFor('dns')],
      ['specialtarget', 'dns'],
    ],
    [
      ['action', actionFor('icmp')],
      ['proto', 'icmp'],
    ],
  ];
  const notes: string[] = [];
  for (const node of root.children) {
    if (node.is === 'text') continue;
    const read = ruleOptions(node, policy === 'allow' ? 'drop' : 'accept');
    if (!read.ok) return read;
    lists.push(read.value.options);
    if (read.value.note !== null) notes.push(read.value.note);
  }
  if (policy === 'allow') lists.push([['action', 'accept']]);
  const rules: Rule[] = [];
  for (const options of lists) {
    const rule = ruleFromOptions(options);
    if (!rule.ok) return rule;
    rules.push(rule.value);
  }
  return ok({ rules, notes });
};
