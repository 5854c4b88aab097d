#!/usr/bin/env bash
# npm run bench: builds what is measured, installs what the bench itself needs, measures.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
(cd .. && npx --no-install tsc -b)
[[ -d node_modules/undici ]] || npm ci --no-audit --no-fund --silent >&2 || true
exec node src/main.mjs "$@"
