#!/usr/bin/env bash
# Builds a benchmark and runs it. Without a name: the in-process figures P3, P4, P7 and P8, unless a filter says
# otherwise.
#
#   tests/bench/run.sh [GOOGLE-BENCHMARK-FLAG...]
#   tests/bench/run.sh answer-time [GOOGLE-BENCHMARK-FLAG...]   does the time of an answer tell what is there?
#   tests/bench/run.sh revoke-all [TOKENS]                      RevokeAllTokens over so many tokens (1000000)
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

program=benchmarks/pat_introspection_benchmark
arguments=(--benchmark_filter=-P6) # Of two filters the last one counts.
case "${1:-}" in
  answer-time) program=benchmarks/pat_answer_time_benchmark; arguments=(); shift ;;
  revoke-all)
    program=tests/pat_revoke_all_test
    export PAT_TOKENS="${2:-1000000}"
    set --
    arguments=() ;;
esac

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
(
  cd "${root}"
  cmake --preset release -DPAT_BUILD_TESTS=ON >/dev/null
  cmake --build --preset release --parallel "${PAT_JOBS:-$(nproc)}" --target "${program##*/}"
) >&2
exec "${root}/build/release/bin/${program}" "${arguments[@]}" "$@"
