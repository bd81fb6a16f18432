import { readFileSync, readlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Actor } from '../ledger/accept.ts';

/** The kernel's word for "nobody logged in": -1 as an unsigned number. */
const NO_LOGIN = 4_294_967_295;

/** The person who logged in, which a sudo does not change. */
const loginUid = (): number | null => {
  try {
    const uid = Number(readFileSync('/proc/self/loginuid', 'utf8').trim());
    return Number.isInteger(uid) && uid !== NO_LOGIN ? uid : null;
  } catch {
    return null;
  }
};

const terminal = (): string | null => {
  for (const fd of [0, 2]) {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      if (/^\/dev\/(pts\/|tty)/.test(path)) return path;
    } catch {
      // No such descriptor: look at the next.
    }
  }
  return null;
};

const userName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return `${process.getuid?.() ?? 'unknown'}`;
  }
};

const MAX_ARGUMENTS = 64;
const MAX_LENGTH = 1024;

/** Who runs this process. Arguments are bounded; secrets never are arguments here. */
export const thisActor = (argv: readonly string[]): Actor => ({
  user: userName(),
  uid: process.getuid?.() ?? -1,
  loginUid: loginUid(),
  tty: terminal(),
  tool: 'domtrail',
  argv: argv.slice(0, MAX_ARGUMENTS).map((argument) => argument.slice(0, MAX_LENGTH)),
  source: process.env['QREXEC_REMOTE_DOMAIN'] ?? null,
});
