import type { Code } from '../../domain/failure.ts';

/** What each code means and what to do, for `explain CODE`. Every code has its line: the type sees to that. */
export const EXPLANATIONS: Readonly<Record<Code, string>> = {
  D_ABANDONED: 'The command could not go on and nothing of it stands any more.',
  D_BACKUP_INVALID: 'The file is no Qubes backup, or it is damaged or cut off. Nothing was changed.',
  D_BAD_INPUT: 'A name, size or other argument is not of the form it must have. Nothing was stored.',
  D_BUSY:
    'Another command holds the log or an object this one needs. Its id is printed; wait, or use --wait SECONDS. One that has stopped is ended by: domtrail recover.',
  D_CANNOT_UNDO:
    'What would have to come back is gone, or is in use. The message names it. Nothing was changed; op restore OP --only OBJECT brings back the rest.',
  D_CHECK_FAILED:
    'The program given to bisect could not be started, or ended in a way that says neither good nor bad (a signal, or a code above 127).',
  D_CLASS_REFUSES: 'VMs of this class cannot do that.',
  D_COMMAND_ID_REUSED:
    'The --id was used before for a command with another content. The same id and content would have given the first outcome again.',
  D_DEVICE_IN_USE:
    'A process still has the disk open. Pulling it away would lose what that process writes. Close it and repeat.',
  D_DIRTY:
    "The volume holds the data of a session that the host's crash interrupted. Keep it with volume commit, throw it away with volume discard, or start the VM to go on with it.",
  D_DISK_FULL: 'A disk is full. Nothing half-written is left; make room and repeat.',
  D_DOCUMENT_REFUSED:
    'The qubes.xml cannot be adopted: stock qubesd would refuse to load it too, or could not save it again. The message says where.',
  D_DRIFT:
    'Storage is not as the log left it: somebody else changed it. Nothing was touched. Look, and choose what to do about it, with: domtrail drift.',
  D_DRIVER_REFUSES: 'The pool of this volume cannot do that.',
  D_EXISTS: 'Something of that name exists already.',
  D_FIREWALL_RULE_INVALID:
    'A firewall rule is not as it must be: the option and its value are named. Nothing was changed. Try rules with: domtrail firewall check.',
  D_FIREWALL_TOO_LARGE:
    'A firewall has at most 10000 rules, because their numbers have four digits in QubesDB, and a rule at most 3071 bytes there.',
  D_FIREWALL_XML_INVALID: 'A firewall.xml cannot be read. Nothing was concluded from it, as stock would not either.',
  D_FIREWALL_XML_UNSAFE:
    'Stock would read this firewall.xml as rules that let more through than it says. It is refused; write what is meant, and read it again.',
  D_HOME_FOREIGN: 'The file is an SQLite database, but not a ledger of domtrail. It was not changed.',
  D_HOME_MISSING: 'There is no log here yet: domtrail init.',
  D_HOME_NEWER: 'The ledger has another schema than this domtrail knows. It was not changed.',
  D_HOME_UNREADABLE:
    'The ledger cannot be read: wrong permissions, damaged or cut off. It was not changed. Keep the file and verify a copy: domtrail verify --db COPY.',
  D_IN_USE: 'Something else still refers to it.',
  D_INCOMPLETE:
    'The backup was made, but not everything could be read. What is missing is named; the file says so too: domtrail backup verify.',
  D_INPUT_CHANGED:
    'The data to import is not what it was when the command began, or is gone. The volume is as before; import again.',
  D_INTERRUPTED: 'You stopped it. What was begun is taken back: neither half a file nor a snapshot stays behind.',
  D_NAME_UNSAFE:
    'The VM or volume was adopted under a name that vm create would refuse. It is kept and written back, but no path and no LV name is ever built from it.',
  D_IO_ERROR:
    'A disk could not be read or written: the kernel log (dmesg) says which. The volume is as before; copy what matters off that disk first.',
  D_KEY_EXPOSED:
    'The key for signing checkpoints can be read by others, so that a signature with it proves nothing. It was not used.',
  D_NEEDS_YES: 'This destroys something and there is no terminal to ask on: repeat with --yes.',
  D_NOT_BUILT: 'The commands are not built yet: npm run build.',
  D_NOT_FOUND: 'There is no such object, revision, event or command.',
  D_NOT_HALTED: 'The VM must be halted for that: domtrail vm stop.',
  D_NOT_PROVEN:
    'The files of a moved home cannot be told from others: names, sizes or times do not agree with the log. Nothing was recorded; copy the home again with its times, or import what you trust.',
  D_NOT_RUNNING: 'The VM must be running for that.',
  D_NOTHING_COMMITTED: 'The volume keeps nothing at stop, or has no committed state yet.',
  D_POOL_DAMAGED:
    'A crash or another program left the pool in a state that must be looked into: docs/failure-modes.md, "A pool that is damaged".',
  D_POOL_READ_ONLY:
    'The pool takes no writes since an error in its metadata, or its file system is read-only. What it holds can be read. To repair it: docs/failure-modes.md, "A pool that takes no writes".',
  D_POOL_RESERVE:
    'The command might take more than the pool has above its reserve, and a pool that runs full stops every VM in it. What could be freed is listed; domtrail pool reserve sets how much is kept back.',
  D_POOL_UNSEEN:
    'The pool cannot be seen: its volume group or directory is missing. Nothing is concluded about its disks.',
  D_PINNED: 'A pinned revision protects it: unpin the revision first.',
  D_PROPERTY_INVALID: 'No such property, or not a value it can have.',
  D_QUBESDB_GARBLED:
    'What answers on the socket of a QubesDB daemon does not speak its language. The connection was given up; nothing it said was used.',
  D_QUBESDB_REFUSED:
    'A path or value that QubesDB cannot hold, or a daemon that refused one. Paths have at most 63 bytes, values 3071.',
  D_QUBESDB_UNREACHABLE:
    'No QubesDB daemon answers for that VM, or it died meanwhile. Once it runs again: domtrail recover, which writes everything anew.',
  D_READ_ONLY: 'The volume is read-only: domtrail volume set VM:VOLUME rw=true.',
  D_REFERENCE_INVALID: 'A property points to a VM that does not exist or does not qualify.',
  D_SHRINK: 'A smaller size cuts data off. With --shrink it is done, and the uncut state is kept as a revision.',
  D_SOURCE_INVALID: 'The volume cannot be made from its source.',
  D_SPEC_INVALID: 'The settings of the volume do not go together.',
  D_SQLITE_UNSAFE: 'This SQLite can lose committed transactions. Install the packages of the lock file: npm ci.',
  D_STALE_WRITER:
    'Another process took over the log, because this one seemed dead. It may not write any more; what it left open is ended by: domtrail recover.',
  D_STALLED:
    'Nothing moved for a long time: a disk, a pipe or a network file system hangs. What was begun is taken back.',
  D_STEP_FAILED:
    'A step ran but did not lead to the wanted state. What stands is recorded; domtrail recover finishes it or takes it back.',
  D_STREAM_VERSION: 'The stream has moved on since it was read.',
  D_STUCK: 'A command can neither be finished nor undone. domtrail show cmd:ID says which step is in the way and why.',
  D_TOO_MUCH_DATA: 'More data came in than the volume holds. The volume is as before; resize it first.',
  D_UNDONE: 'The command could not go on and was undone.',
  D_USAGE: 'The command line is not understood: domtrail help COMMAND.',
  D_VERIFY: 'A check of the log, of a projection or of a backup failed. The first bad position is printed.',
  D_XML_FOREIGN_CHANGE:
    'Somebody else changed qubes.xml since domtrail wrote it. It was not overwritten; domtrail drift qubes.xml says what was changed, and takes it over or writes over it.',
};
