#!/usr/bin/env bash
# Builds the in-process benchmark and runs it: P3, P4, P7 and P8, unless a filter says otherwise.
#
#   tests/bench/run.sh [GOOGLE-BENCHMARK-FLAG...]
#
#   tests/bench/run.sh --benchmark_repetitions=5
#   tests/bench/run.sh --benchmark_filter=P6          cache misses; fills RocksDB with a million tokens first
#   tests/bench/run.sh --benchmark_out=figures.json   JSON, beside the table
#
# Nothing that this prints is a failure: it ends with an error only if there is nothing to build or to run.
set -euo pipefail
case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
(
  cd "${root}"
  cmake --preset release -DPAT_BUILD_TESTS=ON >/dev/null
  cmake --build --preset release --parallel "${PAT_JOBS:-$(nproc)}" --target pat_introspection_benchmark
) >&2
# Of two filters the last one counts.
exec "${root}/build/release/bin/benchmarks/pat_introspection_benchmark" --benchmark_filter=-P6 "$@"
