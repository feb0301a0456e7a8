#!/usr/bin/env bash
# The checks that come from npm: buf, over the API. tests/run.sh does without
# them; .ci/run runs both. Installs npm if there is none.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly buf_version=1.75.0

deploy/setup.sh --npm

echo "npm_checks: buf lint"
npx --yes "@bufbuild/buf@${buf_version}" lint proto
