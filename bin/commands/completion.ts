import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out } from '../../infrastructure/cli/output.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { openReading } from '../compose.ts';

const HELP = `domtrail completion: words for the shell

  source <(domtrail completion bash)
  domtrail completion bash > /usr/share/bash-completion/completions/domtrail
`;

const BASH = `# bash completion for domtrail
_domtrail() {
  local cur=\${COMP_WORDS[COMP_CWORD]} word group
  # readline takes "work:private" for three words; complete it as one
  if declare -F _get_comp_words_by_ref >/dev/null; then
    local words cword
    _get_comp_words_by_ref -n : cur words cword
    word=$cword; group=\${words[1]}
  else
    word=$COMP_CWORD; group=\${COMP_WORDS[1]}
  fi
  local commands="init adopt pool label prefs vm volume firewall backup status log show blame why lineage diff watch xml stats report recover fsck drift gc undo redo op retention serve cancel verify checkpoint export witness replay bisect explain help completion version demo"
  local candidates
  if ((word == 1)); then candidates=$commands
  elif ((word == 2)); then
    case $group in
      vm) candidates="create start stop kill clone remove list prefs features tags notes devices" ;;
      volume) candidates="list info commit discard revert resize import export clone set add remove pin unpin" ;;
      firewall) candidates="check get set add remove reload entries" ;;
      pool|label) candidates="add list remove" ;;
      adopt) candidates="--qubes-xml --firewall-dir --storage --lvm-archive --moved" ;;
      drift) candidates="adopt repair ignore notice $(domtrail completion words 2>/dev/null)" ;;
      diff) candidates="@ @-" ;;
      backup) candidates="create resume cancel verify list restore" ;;
      bisect) candidates="run" ;;
      op) candidates="log show restore revert" ;;
      help) candidates=$commands ;;
      completion) candidates="bash" ;;
      log|watch|blame|why|lineage|retention) candidates=$(domtrail completion words 2>/dev/null) ;;
    esac
  elif [[ $group == backup ]]; then candidates="$(compgen -f -- "$cur") $(domtrail completion words 2>/dev/null)"
  else candidates=$(domtrail completion words 2>/dev/null)
  fi
  COMPREPLY=($(compgen -W "$candidates --json --plan --home --at --help" -- "$cur"))
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}
complete -F _domtrail domtrail
`;

/** Names of VMs and volumes of this home, for the script; silent where there is none. */
const names = (args: Arguments): Result<number, Failure> => {
  const reading = openReading(args);
  if (!reading.ok) return ok(0);
  const { host, ledger } = reading.value;
  closeLedger(ledger);
  const words = [...host.vms.values()].flatMap((vm) => [vm.name, ...volumesOf(vm).map(({ spec }) => spec.key)]);
  out(`${words.join('\n')}\n`);
  return ok(0);
};

const completion: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['bash'], 'completion');
    if (!words.ok) return words;
    if (words.value[0] === 'words') return names(args);
    if (words.value[0] !== 'bash') return err(usage('only bash is known', 'completion'));
    out(BASH);
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(completion, 'completion', argv);
