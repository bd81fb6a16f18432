// Runs before everything else, without node_modules: imports only Node's own modules until they are installed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './install.mjs';
import { DIST_STAMP, distStamp, isFresh, MODULES_STAMP, modulesStamp, ROOT } from './stamp.mjs';

const say = (line) => process.stderr.write(`domtrail: ${line}\n`);
const why = (folder) => (existsSync(join(ROOT, folder)) ? 'out of date' : 'missing');

if (!isFresh(MODULES_STAMP, modulesStamp())) {
  say(`node_modules is ${why('node_modules')}: installing the packages of package-lock.json`);
  install(say);
}
const asked = process.argv.includes('--build');
if (asked || !isFresh(DIST_STAMP, distStamp())) {
  say(asked ? 'building dist' : `dist is ${why('dist')}: building it`);
  const { bundle } = await import('./bundle.mjs');
  try {
    say(`built ${await bundle()} commands`);
  } catch {
    process.stderr.write('error[D_NOT_BUILT]: the build failed, for the reasons above\nnext: npm run build\n');
    process.exitCode = 1;
  }
}
