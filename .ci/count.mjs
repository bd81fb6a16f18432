import { existsSync, readFileSync } from 'node:fs';

const [resultsFile, testsExit, checkExit] = process.argv.slice(2);
const read = () => {
  try {
    return JSON.parse(readFileSync(resultsFile, 'utf8'));
  } catch {
    return null;
  }
};
const results = existsSync(resultsFile) ? read() : null;
const passed = results?.numPassedTests ?? 0;
const skipped = (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0);
// A file that does not load has no tests to count; it is one failure all the same.
const unloaded = (results?.testResults ?? []).filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
);
let failed = (results?.numFailedTests ?? 0) + unloaded.length;
if (failed === 0 && (testsExit !== '0' || passed === 0)) failed++;
if (checkExit !== '0') {
  console.log('npm run check failed: counted as one failure');
  failed++;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
