import { usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outFailure } from '../../infrastructure/cli/output.ts';
import { adoptMoved } from '../adopt-moved.ts';
import { adoptStorage } from '../adopt-storage.ts';
import { adoptTestimony } from '../adopt-testimony.ts';
import { adoptXml } from '../adopt-xml.ts';

const HELP = `domtrail adopt: take over what was there before the log

  domtrail adopt --qubes-xml FILE [--firewall-dir DIR]
      A host's configuration from its qubes.xml, and the rules of its VMs from
      the firewall.xml below DIR (such as /var/lib/qubes): the home has no VM
      yet. Afterwards \`xml\` is the document that stock qubesd would save. What
      stock silently drops is told, and kept in the log. Looks at no storage.

  domtrail adopt --storage [--pool POOL] [VM...]
      Disks that lie in the pools for volumes the log knows without one: what
      each is follows from its name and its origin. Leftovers of dead VMs and
      unfinished imports go to the trash, where only gc erases them; nothing
      else is destroyed, and what nobody can explain stays as it is.

  domtrail adopt --lvm-archive [--archive DIR] [--backup DIR]
      What LVM's own archive (/etc/lvm/archive) says of commands that are not ours,
      as testimony: command line, time, and which LVs it made, renamed or removed.
      adopt --storage does it first for what was before the log, unless
      --without-archive. Damaged files are named and skipped.

  domtrail adopt --moved [--pool POOL]
      Files that were copied or restored with their whole home: the same disks
      under new identities. Only when the name, size and time of every one of
      them agree with the log; otherwise nothing is recorded.

Each takes --plan, which shows what would be taken as what, and why.
`;

/** The ways to adopt, by the option that asks for one. */
const WAYS: Readonly<Record<string, Action>> = {
  '--qubes-xml': adoptXml,
  '--storage': adoptStorage,
  '--lvm-archive': adoptTestimony,
  '--moved': adoptMoved,
};

export const main = async (argv: readonly string[]): Promise<number> => {
  if (argv.includes('--help') || argv.includes('-h')) {
    out(HELP);
    return 0;
  }
  const [way, another] = Object.keys(WAYS).filter((option) => argv.some((word) => word.split('=')[0] === option));
  const action = way === undefined ? undefined : WAYS[way];
  if (action && another === undefined) return runAction(action, 'adopt', argv);
  const wanted = Object.keys(WAYS).join(', ');
  return outFailure(usage(`adopt takes one of ${wanted}`, 'adopt'), argv.includes('--json'));
};
