import fc from 'fast-check';
import { parseDestination } from '../../../domain/firewall/options.ts';
import type { Destination, Rule } from '../../../domain/firewall/rule.ts';

const address4 = fc.ipV4();
const address6 = fc.ipV6();
const hostName = fc.stringMatching(/^[a-z0-9._-]{1,40}$/);

const destination: fc.Arbitrary<Destination> = fc
  .oneof(
    address4,
    address6,
    hostName,
    fc.tuple(address4, fc.integer({ min: 0, max: 32 })).map(([a, p]) => `${a}/${p}`),
    fc.tuple(address6, fc.integer({ min: 0, max: 128 })).map(([a, p]) => `${a}/${p}`),
    fc.tuple(address4, fc.integer({ min: 0, max: 32 })).map(([a, p]) => `${a}/0${p}`),
  )
  .map((text) => {
    const parsed = parseDestination(text);
    if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`);
    return parsed.value;
  });

const port = fc.integer({ min: 0, max: 65_535 });
const ports = fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));

const transport = fc.oneof(
  fc.record({
    proto: fc.constantFrom('tcp' as const, 'udp' as const),
    ports: fc.option(ports),
    icmpType: fc.constant(null),
  }),
  fc.record({
    proto: fc.constant('icmp' as const),
    ports: fc.constant(null),
    icmpType: fc.option(fc.integer({ min: 0, max: 255 })),
  }),
  fc.constant({ proto: null, ports: null, icmpType: null }),
);

/** Any rule that can be, far ahead of any expiry or long after it. */
export const anyRule: fc.Arbitrary<Rule> = fc
  .record({
    action: fc.constantFrom('accept' as const, 'drop' as const),
    transport,
    destination: fc.option(destination),
    special: fc.option(fc.constant('dns' as const)),
    expire: fc.option(fc.constantFrom('1', '0012', '4102444800', '253402300799')),
    comment: fc.option(fc.stringMatching(/^[A-Za-z0-9:;,./_[\] -]{1,60}$/)),
  })
  .map(({ transport: { proto, ports: range, icmpType }, ...rest }) => ({ ...rest, proto, ports: range, icmpType }));

/** What somebody would try who wants to get out of a text: markup, quotes, line ends, escapes, options inside values. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom('<', '>', '&', '"', "'", '\n', '\r', '\u001b[2J', '\u202e', '\0', ' ', '=', '/', ']]>', '<!--'),
      fc.constantFrom(
        'action=accept',
        'comment=',
        ' dst4=0.0.0.0/0',
        '../..',
        '</rule><rule>',
        '&#10;',
        'a',
        '80',
        '::',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
