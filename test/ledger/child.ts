import { ok } from '../../domain/result.ts';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { acquireLease, acquireLeaseWithin, releaseLease } from '../../infrastructure/ledger/lease.ts';
import { closeLedger, type Ledger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { thisProcess } from '../../infrastructure/ledger/process-identity.ts';

/** The other process of the tests: does one thing with a ledger and prints a line when it has done it. */
const [, , task = '', file = '', id = ''] = process.argv;
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
};

const actor = { user: 'eve', uid: 0, loginUid: null, tty: null, tool: 'child', argv: [], source: null };
const toAccept = (command: string) => ({
  envelope: {
    id: command,
    name: 'SetThing',
    schemaVersion: 1,
    payload: {},
    actor,
    reason: null,
    context: {},
    receivedAt: Date.now(),
    owner: thisProcess(),
  },
  decide: () =>
    ok({
      plan: {
        main: [],
        facts: [{ type: 'GlobalPropertySet', name: command, value: 'v', before: null } as const],
        cleanup: [],
      },
      holds: [],
    }),
});

const reading = (): void => {
  const ledger = openLedger(file, 'read');
  say(ledger.ok ? `head ${ledger.value.cache.head.position}` : `${ledger.error.code} ${ledger.error.next ?? ''}`);
  if (ledger.ok) closeLedger(ledger.value);
};

const ROUNDS = 20;

/** Takes the lease, writes one command and gives it up again, over and over. */
const contend = async (ledger: Ledger): Promise<void> => {
  for (let round = 0; round < ROUNDS; round++) {
    const lease = await acquireLeaseWithin(ledger, thisProcess(), id, 20_000);
    const accepted = lease.ok ? accept(ledger, toAccept(`${id}-${round}`)) : lease;
    if (!accepted.ok) return say(accepted.error.code);
    releaseLease(ledger);
  }
  say('done');
};

const writing = async (): Promise<void> => {
  const opened = openLedger(file, task === 'create' ? 'create' : 'write');
  if (!opened.ok) return say(opened.error.code);
  const ledger = opened.value;
  if (task === 'contend') {
    await contend(ledger);
    return closeLedger(ledger);
  }
  const lease = acquireLease(ledger, thisProcess(), id);
  if (!lease.ok) return say(`${lease.error.code} ${lease.error.holder ?? ''}`);
  const accepted =
    task === 'hold' ? ok(null) : accept(ledger, toAccept(id), task === 'die-before-commit' ? die : undefined);
  say(accepted.ok ? `done ${ledger.cache.head.position}` : accepted.error.code);
  if (task === 'die-after-commit') die();
  // Holds the lease until it is killed.
  if (task === 'hold') setInterval(() => undefined, 1000);
  else closeLedger(ledger);
};

if (task === 'read') reading();
else void writing();
