// npm run lab:crash, lab:points, lab:full: bundles the host's side and the guest's worker, then runs the former.
import { buildHost, buildWorker, ROOT } from './build.mjs';

process.env['LAB_ROOT'] = ROOT;
await buildWorker();
const { main } = await import(await buildHost());
process.exitCode = await main(process.argv.slice(2));
