#!/usr/bin/env bash
# Runs every suite with real peers: Prometheus, Envoy, gRPC clients, Chromium. Installs what is missing first.
#
#   npm run interop                      everything
#   npm run interop -- test/envoy        one suite
#
# ISTIO_DATA names the folder with Istio's published dashboards; without it their queries are skipped. Build before.
# MIXERLESS_REPORTS names a folder for vitest's JSON report. Exit status: that of the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

setup=$(mktemp)
if ! ./setup.sh >"$setup" 2>&1; then
  tail -n 25 "$setup"
  echo "Some peers are missing; the suites that need them are skipped and say so."
fi
rm -f "$setup"

if [[ -z ${ISTIO_DATA:-} && -d ../../shared/data ]]; then
  ISTIO_DATA=$(cd ../../shared/data && pwd)
  export ISTIO_DATA
fi
[[ -n ${ISTIO_DATA:-} ]] || echo "ISTIO_DATA is not set: Istio's dashboards are skipped"

report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
npx --no-install vitest run --config vitest.config.ts --reporter=default --reporter=json --outputFile.json="$report" "$@" ||
  status=$?
# Every skipped test by name, which says what it lacked.
node -e '
  const { testResults = [] } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8") || "{}");
  const all = testResults.flatMap((file) => file.assertionResults);
  const skipped = all.filter(({ status }) => status === "skipped" || status === "pending");
  for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
' "$report"
if [[ -n ${MIXERLESS_REPORTS:-} && -s $report ]]; then cp "$report" "$MIXERLESS_REPORTS/interop.json"; fi
exit "$status"
