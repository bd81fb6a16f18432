import { usage } from '../../infrastructure/cli/arguments.ts';
import { out, outFailure } from '../../infrastructure/cli/output.ts';

const PAGE = `domtrail: a journal for the volumes of virtual machines

  domtrail init                                       make a home for the log
  domtrail vm create debian --class TemplateVM
  domtrail vm create work --class AppVM --template debian
  domtrail vm start work; domtrail vm stop work       snapshot, then commit
  domtrail volume revert work:private                 the state before
  domtrail log work:private                           who did what, when
  domtrail recover                                    after a crash

set up   init, pool add|list|remove, label add|list|remove, prefs,
         adopt --qubes-xml FILE|--storage|--lvm-archive|--moved
act      vm create|start|stop|kill|clone|remove|list|prefs|features|tags|
         devices|notes
         volume list|info|commit|discard|revert|resize|import|export|clone|
         set|add|remove|pin|unpin
         firewall check|get|set|add|remove|reload|entries
look     status, log, show, blame, why, lineage, stats, xml, diff A B [OBJECT],
         watch [OBJECT], retention [OBJECT], report --html -o FILE
         (with --at EVENT|TIME or --db FILE: of then, or of a copy)
heal     recover, fsck, drift [adopt|repair|ignore|notice], gc, undo, redo,
         op log|show|restore|revert, serve (stays, and does what is due)
prove    verify, checkpoint, export, witness, replay, bisect run
backup   backup create -o FILE|-, backup resume|cancel [ID] (or cancel),
         backup verify|list|restore FILE
help     help COMMAND, explain CODE, completion bash, version, demo

Every command takes --home DIR (or DOMTRAIL_HOME) and --json. Every changing one
takes --plan (show the steps, change nothing), -m REASON, --id KEY and --wait
SECONDS.

exit  0 done  1 failed  2 changes found  3 not found  4 precondition  5 busy
      6 verification  7 refused  64 usage  75 again  124 timeout  130 interrupt
`;

/** `help COMMAND` is that command's own page. The loader's folder of bundles is this bundle's folder. */
export const main = async (argv: readonly string[]): Promise<number> => {
  const [topic, word] = argv.filter((one) => !one.startsWith('-'));
  if (topic === undefined || topic === 'help') {
    out(PAGE);
    return 0;
  }
  const { join } = await import('node:path');
  const { existsSync } = await import('node:fs');
  const file = /^[a-z][a-z-]*$/.test(topic) ? join(__dirname, `${topic}.cjs`) : '';
  if (!existsSync(file)) return outFailure(usage(`there is no command ${JSON.stringify(topic)}`, ''), false);
  const bundle = require(file) as { main: (argv: readonly string[]) => Promise<number> };
  return bundle.main(word === undefined ? ['--help'] : [word, '--help']);
};
