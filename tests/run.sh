#!/usr/bin/env bash
# Builds everything, runs all tests, two at a time, and checks the formatting, of
# which it says nothing if it is right: the last lines are ctest's. Installs what
# is missing first (deploy/setup.sh --tests). Works without .git and without npm,
# as root or not. Exit status: 0 only if all of it was well.
#
#   tests/run.sh [--preset release|debug|asan|tsan] [CTEST-ARGUMENT...]
#
#   tests/run.sh -R digest              only the tests whose names match
#   tests/run.sh --preset asan -L e2e   only those of tests/e2e, with AddressSanitizer
#
# PAT_JOBS=<n>   compile jobs, default: one per CPU
set -euo pipefail
export HOME="${HOME:-$(unset HOME; printf %s ~)}"

cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=release
case "${1:-}" in
  --preset) preset="${2:?--preset needs a name}"; shift 2 ;;
  --preset=*) preset="${1#*=}"; shift ;;
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

deploy/setup.sh --tests

echo "run: building preset ${preset}"
log="$(mktemp)"
trap 'rm -f "${log}"' EXIT
cmake --preset "${preset}" -DPAT_BUILD_TESTS=ON >"${log}" 2>&1 || { cat "${log}" >&2; exit 1; }
cmake --build --preset "${preset}" --parallel "${PAT_JOBS:-$(nproc)}"
# What is stale right after a build is made anew by every build, and all that rests on it.
stale="$(ninja -C "build/${preset}" -n)"
[[ ${stale} == *"no work to do"* ]] || { printf 'tests/run.sh: stale after the build:\n%s\n' "${stale}" >&2; exit 1; }

status=0
ctest --preset "${preset}" --output-on-failure --no-label-summary --no-tests=error -j2 "$@" || status=$?

find client server store tests -type f \( -name '*.cc' -o -name '*.h' \) -print0 |
  xargs -0 -r clang-format --dry-run -Werror || status=1

exit "${status}"
