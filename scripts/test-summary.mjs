// Adds up vitest's JSON reports (every *.json of the folder given) and prints `N passed, N failed, N skipped`.
// A test file that fails before its first test counts as one failure. So does a folder without a report,
// because then the tests did not even start; `--none-expected` says that this is as it should be.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, flag] = process.argv.slice(2);
const reports = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));

let passed = 0;
let skipped = 0;
let failed = reports.length === 0 && flag !== "--none-expected" ? 1 : 0;
for (const report of reports) {
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  failed += report.numFailedTests;
  failed += report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some(isFailure),
  ).length;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);

function isFailure({ status }) {
  return status === "failed";
}
