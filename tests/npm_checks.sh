#!/usr/bin/env bash
# The checks that come from npm: buf over the API (lint, and breaking changes against the last commit of main that is known
# here), and buf curl as a real client of a real server. tests/run.sh does without them; .ci/run runs both. Installs npm if
# there is none.
#
# Needs build/release/bin/patd; builds it if it is not there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly buf_version=1.75.0
readonly patd=build/release/bin/patd

deploy/setup.sh --npm

# Installed once, outside the tree; npx would ask the registry each time.
readonly tools="${XDG_CACHE_HOME:-${HOME}/.cache}/pat-sidecar/npm/buf-${buf_version}"
buf="${tools}/node_modules/.bin/buf"
if [[ ! -x ${buf} ]]; then
  echo "npm_checks: installing buf ${buf_version}"
  mkdir -p "${tools}"
  npm install --silent --no-audit --no-fund --prefix "${tools}" "@bufbuild/buf@${buf_version}" >/dev/null
fi

echo "npm_checks: buf lint"
"${buf}" lint proto

# Without a history (an archive, a shallow clone of one commit) there is nothing to compare with.
if before="$(git rev-parse --verify --quiet 'HEAD~1^{commit}' 2>/dev/null)" &&
  git cat-file -e "${before}:proto/buf.yaml" 2>/dev/null; then
  echo "npm_checks: buf breaking"
  previous="$(mktemp -d)"
  trap 'rm -rf "${previous}"' EXIT
  git archive "${before}" proto | tar -C "${previous}" -xf -
  "${buf}" breaking proto --against "${previous}/proto"
  rm -rf "${previous}"
else
  echo "npm_checks: buf breaking: no earlier commit here to compare with"
fi

if [[ ! -x ${patd} ]]; then
  cmake --preset release >/dev/null
  cmake --build --preset release --target patd
fi

echo "npm_checks: buf curl"
tests/e2e/buf_curl.sh "${buf}" "${patd}"
