import { counted } from '../../domain/counted.ts';
import type { Failure } from '../../domain/failure.ts';
import { linesOf, rulesOf } from '../../domain/firewall/firewall.ts';
import { mustNotBeTooMany } from '../../domain/firewall/limits.ts';
import { LONGEST_LINE } from '../../domain/firewall/parse.ts';
import { linesOfPayload } from '../../domain/firewall/payload.ts';
import { isExpired, MOST_RULES } from '../../domain/firewall/rule.ts';
import type { VmName } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, CHANGING, usage } from '../../infrastructure/cli/arguments.ts';
import { runChange, type Shown } from '../../infrastructure/cli/change.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { readInput } from '../../infrastructure/cli/input-file.ts';
import { talk } from '../../infrastructure/cli/output.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import type { Service } from '../../infrastructure/service/service.ts';
import { built, changingIn } from '../changing.ts';
import { openService } from '../compose.ts';
import { checkWith } from '../firewall-check.ts';
import { entriesWith } from '../firewall-entries.ts';
import { getWith } from '../firewall-reading.ts';
import { rulesOfXml } from '../firewall-xml-input.ts';

const HELP = `domtrail firewall: what the machines may reach

  domtrail firewall check -f rules.txt     one rule a line; needs no home
  domtrail firewall get work               (-n: with numbers)
  domtrail firewall set work -f rules.txt  all rules at once; -f - from a pipe
  domtrail firewall set work --xml old/firewall.xml
  domtrail firewall set work 'action=accept dsthost=example.com' action=drop
  domtrail firewall add work RULE          at the end, or --before N
  domtrail firewall remove work N|RULE
  domtrail firewall reload work            writes file and QubesDB again
  domtrail firewall entries work           what lies in its netvm's QubesDB
                                           (--family 4|6: of one address)

RULE  action=accept|drop [dsthost=ADDRESS[/PREFIX]|NAME] [proto=tcp|udp|icmp]
      [dstports=N[-M]] [icmptype=N] [specialtarget=dns] [expire=UNIXTIME]
      [comment=to the end]
      The first rule that matches counts; what none matches is dropped.

Every change takes --plan (show the steps, change nothing), -m REASON,
--id KEY (the same key twice is done once), --json, --wait SECONDS.
`;

const changing = changingIn('firewall', HELP);

/** Enough for the largest list there can be. */
const LARGEST = 32 * 2 ** 20;

const firewallOf = (service: Service, name: string | undefined) =>
  currentHost(service.ledger).vms.get(name as VmName)?.firewall ?? null;

/** What the rules are now, and what a reader might not expect of them. */
const shown = (service: Service, name: string | undefined): Shown => {
  const firewall = firewallOf(service, name);
  const rules = rulesOf(firewall);
  const now = Date.now();
  for (const [number, rule] of rules.entries()) {
    if (isExpired(rule, now)) talk(`note: rule ${number} has expired already; it has no effect\n`);
  }
  const all = linesOf(firewall).findIndex((line) => line === 'action=accept' || line === 'action=drop');
  if (all >= 0 && all < rules.length - 1) {
    talk(`note: rule ${all} (${linesOf(firewall)[all]}) matches everything; those after it are never reached\n`);
  }
  const text = `${name} has ${counted(rules.length, 'rule')}\n`;
  return { text, fields: { vm: name, rules: linesOf(firewall) } };
};

const rulesFrom = async (args: Arguments, words: readonly string[]): Promise<Result<readonly string[], Failure>> => {
  const [file, xml] = [args.text('file'), args.text('xml')];
  if ([file, xml, words[0]].filter((one) => one !== undefined).length !== 1) {
    return err(usage('firewall set takes one of: -f FILE, --xml FILE, rules', 'firewall'));
  }
  if (xml !== undefined) return rulesOfXml(xml);
  if (file === undefined) return ok(words);
  const bytes = readInput(file, LARGEST);
  return bytes.ok ? linesOfPayload(bytes.value.toString('utf8')) : bytes;
};

const set: Action = {
  options: { ...CHANGING, file: 'value', xml: 'value' },
  help: HELP,
  run: async (args) => {
    const [vm, ...given] = args.values;
    if (vm === undefined) return err(usage('VM is missing', 'firewall'));
    const rules = await rulesFrom(args, given);
    if (!rules.ok) return rules;
    const room = mustNotBeTooMany(rules.value.length);
    if (!room.ok) return room;
    const command = await built('SetFirewall', { vm, rules: rules.value });
    if (!command.ok) return command;
    return runChange(openService(args, 'write'), args, () =>
      ok({ topic: 'firewall-set', command: command.value, show: (service) => shown(service, vm) }),
    );
  },
};

const NUMBER = /^[0-9]{1,4}$/;

const numberIn = (text: string | undefined): Result<number | null, Failure> => {
  if (text === undefined) return ok(null);
  return NUMBER.test(text)
    ? ok(Number(text))
    : err(usage(`--before takes the number of a rule, 0 to ${MOST_RULES - 1}`, 'firewall'));
};

const ACTIONS: Readonly<Record<string, Action>> = {
  check: checkWith(HELP),
  get: getWith(HELP),
  entries: entriesWith(HELP),
  set,
  add: changing({
    topic: 'firewall-add',
    words: ['VM', 'RULE'],
    build: (args, [vm, rule]) => {
      const before = numberIn(args.text('before'));
      return before.ok ? built('AddRule', { vm, rule, before: before.value }) : before;
    },
    show: (service, [vm]) => shown(service, vm),
    options: { before: 'value' },
  }),
  remove: changing({
    topic: 'firewall-remove',
    words: ['VM', 'N|RULE'],
    build: (_args, [vm, which = '']) =>
      NUMBER.test(which)
        ? built('RemoveRule', { vm, number: Number(which), rule: null })
        : built('RemoveRule', { vm, number: null, rule: which.slice(0, LONGEST_LINE) }),
    show: (service, [vm]) => shown(service, vm),
  }),
  reload: changing({
    topic: 'firewall-reload',
    words: ['VM'],
    build: (_args, [vm]) => built('ReloadFirewall', { vm }),
    show: (service, [vm]) => shown(service, vm),
  }),
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('firewall', ACTIONS, HELP, argv);
