import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Where everything of one host lives. */
export type Home = {
  readonly dir: string;
  readonly ledger: string;
  readonly qubesXml: string;
  readonly pool: (name: string) => string;
  readonly kernels: string;
  /** what stands in for the memory of QubesDB daemons where none runs */
  readonly qubesDb: string;
  /** names the one `serve` */
  readonly serveLock: string;
};

const defaultDir = (): string => {
  if (process.getuid?.() === 0) return '/var/lib/domtrail';
  const state = process.env['XDG_STATE_HOME'];
  return join(state && isAbsolute(state) ? state : join(homedir(), '.local', 'state'), 'domtrail');
};

export const homeAt = (dir: string): Home => ({
  dir,
  ledger: join(dir, 'ledger.db'),
  qubesXml: join(dir, 'qubes.xml'),
  pool: (name) => join(dir, 'pools', name),
  kernels: join(dir, 'vm-kernels'),
  qubesDb: join(dir, 'run', 'qubesdb'),
  serveLock: join(dir, 'run', 'serve.lock'),
});

/** `--home`, else DOMTRAIL_HOME, else the place for root or for this user. */
export const findHome = (option: string | undefined): Home =>
  homeAt(resolve(option ?? (process.env['DOMTRAIL_HOME'] || defaultDir())));
