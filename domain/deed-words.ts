import { formatBytes } from './bytes.ts';
import { counted } from './counted.ts';
import { roleText } from './disk.ts';
import type { ContentSource, ContentTarget, Deed } from './steps.ts';

const sourceText = (source: ContentSource): string => {
  switch (source.kind) {
    case 'file':
      return source.path;
    case 'stdin':
      return 'standard input';
    case 'backup':
      return `${source.file} of ${source.backup}`;
    case 'disk':
      return source.at.vid;
  }
};

const targetText = (target: ContentTarget): string => (target.kind === 'file' ? target.path : 'standard output');

/** A deed in one line, for plans, logs and errors alike. */
export const wordsOfDeed = (deed: Deed): string => {
  switch (deed.do) {
    case 'create':
      return `create ${roleText(deed.at.role)}, ${formatBytes(deed.bytes)}`;
    case 'snapshot':
      return deed.from.vid === deed.at.vid
        ? `snapshot ${roleText(deed.from.role)} -> ${roleText(deed.at.role)}`
        : `snapshot ${deed.from.vid} -> ${roleText(deed.at.role)}`;
    case 'move':
      return `move ${roleText(deed.from.role)} -> ${roleText(deed.to.role)}`;
    case 'resize':
      return `resize ${roleText(deed.at.role)} to ${formatBytes(deed.bytes)}`;
    case 'activate':
      return `activate ${roleText(deed.at.role)}`;
    case 'fill':
      return `fill ${roleText(deed.at.role)} from ${sourceText(deed.from)}`;
    case 'read':
      return `copy ${roleText(deed.at.role)} to ${targetText(deed.to)}`;
    case 'erase':
      return `erase ${roleText(deed.at.role)}`;
    case 'writeFirewall':
      return deed.after === null
        ? 'remove firewall.xml'
        : `write firewall.xml, ${counted(deed.after.length, 'rule')}${deed.over === 'oursElseLeave' ? ', if it is still ours' : ''}`;
    case 'publishFirewall':
      return `publish ${counted(deed.after.length, 'rule')} for ${deed.address} in ${deed.netvm}${deed.wake ? '' : ', without waking its agent'}`;
    case 'writeKeys':
      return `write ${deed.keys.length} keys into the QubesDB of ${deed.vm}`;
    case 'archive':
      return `back up ${counted(deed.vms.length, 'VM')} to ${targetText(deed.to)}`;
    case 'deliver':
      return `name the backup ${deed.path}`;
    case 'startDomain':
      return 'start the domain';
    case 'stopDomain':
      return deed.how === 'kill' ? 'kill the domain' : 'shut the domain down';
  }
};

/** `+` makes, `~` changes, `-` destroys, `=` only looks or reads: the symbols of a plan. */
export const symbolOfDeed = (deed: Deed): '+' | '~' | '-' | '=' => {
  switch (deed.do) {
    case 'create':
    case 'snapshot':
      return '+';
    case 'erase':
      return '-';
    case 'writeFirewall':
      return deed.after === null ? '-' : deed.before === null ? '+' : '~';
    case 'read':
    case 'activate':
    case 'archive':
      return '=';
    default:
      return '~';
  }
};
