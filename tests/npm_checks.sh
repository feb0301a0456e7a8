#!/usr/bin/env bash
# buf over the API (lint, and breaking changes against an earlier state), and clients that are not ours against a real
# server: buf curl, and grpcurl if it is installed. buf comes from npm, which only this needs; both are installed if they
# are missing. tests/run.sh does without; .ci/run runs both.
#
#   tests/npm_checks.sh
#
# PAT_BREAKING_BASE=<commit>   the state that the API is compared with. Default: where this branch left origin/main, if
#                              it did, else the commit before this one
#
# A break that is wanted (until 1.0 the API may change, see CHANGELOG.md) is accepted by a line in
# proto/accepted_breaks.txt that begins with that state's commit.
#
# Uses build/release/bin/patd; builds it if it is not there. PAT_JOBS=<n>: compile jobs, default: one per CPU.
set -euo pipefail
export LC_ALL=C
export HOME="${HOME:-$(unset HOME; printf %s ~)}"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly buf_version=1.75.0
readonly patd=build/release/bin/patd
readonly accepted=proto/accepted_breaks.txt

case "${1:-}" in
  "") ;;
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac

work="$(mktemp -d)"
trap 'rm -rf "${work}"' EXIT

say() { printf 'npm_checks: %s\n' "$*"; }
fail() { printf 'npm_checks: %s\n' "$*" >&2; exit 1; }

deploy/setup.sh --npm

# Installed once, outside the tree; npx would ask the registry each time.
readonly tools="${XDG_CACHE_HOME:-${HOME}/.cache}/pat-sidecar/npm/buf-${buf_version}"
buf="${tools}/node_modules/.bin/buf"
if [[ ! -x ${buf} ]]; then
  say "installing buf ${buf_version}"
  mkdir -p "${tools}"
  npm install --no-audit --no-fund --prefix "${tools}" "@bufbuild/buf@${buf_version}" >"${work}/npm.log" 2>&1 ||
    { cat "${work}/npm.log" >&2; fail "npm could not install buf ${buf_version}"; }
fi

say "buf lint"
"${buf}" lint proto

# --- breaking changes ----------------------------------------------------------

# Sets base and why. Empty: there is nothing to compare with, and why says why.
choose_base() {
  local prefix head main
  base=
  if ! prefix="$(git rev-parse --show-prefix 2>"${work}/git")"; then
    # Everything else that git may have against this directory, its owner for example, is no reason to pass.
    grep -q 'not a git repository' "${work}/git" || { cat "${work}/git" >&2; fail "git refuses to work here"; }
    prefix=none
  fi
  if [[ -n ${prefix} ]]; then  # Also a copy inside another project's clone.
    [[ -z ${PAT_BREAKING_BASE:-} ]] || fail "PAT_BREAKING_BASE is set, but this is no clone"
    why="this is no clone, there is no history"
    return
  fi
  if [[ -n ${PAT_BREAKING_BASE:-} ]]; then
    base="$(git rev-parse --verify --quiet "${PAT_BREAKING_BASE}^{commit}")" ||
      fail "PAT_BREAKING_BASE: there is no commit ${PAT_BREAKING_BASE} here"
    why="PAT_BREAKING_BASE"
    return
  fi
  head="$(git rev-parse --verify --quiet 'HEAD^{commit}')" || { why="there is no commit yet"; return; }
  if main="$(git rev-parse --verify --quiet 'origin/main^{commit}')" && [[ ${main} != "${head}" ]] &&
    base="$(git merge-base "${head}" "${main}")" && [[ ${base} != "${head}" ]]; then
    why="where this branch left origin/main"
    return
  fi
  base="$(git rev-parse --verify --quiet 'HEAD~1^{commit}')" || base=
  why="the commit before this one"
  if [[ -z ${base} ]]; then
    why="the first commit has none before it"
    if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
      why="this clone is shallow, it has no commit before this one (git fetch --unshallow brings them)"
    fi
  fi
}

choose_base
if [[ -n ${base} ]] && ! git cat-file -e "${base}:proto/buf.yaml" 2>/dev/null; then
  why="${base} has no API yet"
  base=
fi
if [[ -z ${base} ]]; then
  say "buf breaking: NOT CHECKED: ${why}"
else
  say "buf breaking, against ${base} (${why})"
  mkdir "${work}/before"
  git archive "${base}" proto | tar -C "${work}/before" -xf -
  if ! "${buf}" breaking proto --against "${work}/before/proto"; then
    grep -q "^${base}\([[:space:]]\|\$\)" "${accepted}" ||
      fail "the API breaks. If that is wanted, say so in ${accepted} with a line: ${base} <what and why>"
    say "this break is accepted: $(grep "^${base}" "${accepted}")"
  fi
fi

# --- clients that are not ours ---------------------------------------------------

if [[ ! -x ${patd} ]]; then
  say "building patd"
  {
    { [[ -e build/release/build.ninja ]] || cmake --preset release -DPAT_BUILD_TESTS=OFF; } &&
      cmake --build --preset release --parallel "${PAT_JOBS:-$(nproc)}" --target patd
  } >"${work}/build.log" 2>&1 || { cat "${work}/build.log" >&2; fail "patd did not build"; }
fi

say "buf curl"
tests/e2e/buf_curl.sh "${buf}" "${patd}"
if command -v grpcurl >/dev/null; then
  say "grpcurl"
  tests/e2e/grpcurl.sh grpcurl "${patd}"
else
  say "grpcurl: not installed here, left out"
fi
