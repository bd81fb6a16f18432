// Loaded before domtrail: kills the process before the Nth call that changes qubes.xml or the temporary file beside it.
const fs = require('node:fs');

let left = Number(process.env.KILL_IN_SAVE);
const ours = new Set();

const about = (target) => (typeof target === 'number' ? ours.has(target) : /\/qubes\.xml(~\w+)?$/.test(String(target)));

for (const name of ['openSync', 'writeFileSync', 'fchmodSync', 'fsyncSync', 'closeSync', 'renameSync', 'rmSync']) {
  const real = fs[name];
  fs[name] = (target, ...rest) => {
    if (about(target) && --left === 0) process.kill(process.pid, 'SIGKILL');
    const result = real(target, ...rest);
    if (name === 'openSync' && about(target)) ours.add(result);
    if (name === 'closeSync') ours.delete(target);
    return result;
  };
}
