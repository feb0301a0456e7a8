#!/usr/bin/env bash
# Tests check.sh: plants violations, one at a time, in a small tree that is clean otherwise, and wants each of them to
# be found in its place and by its rule, and nothing else. Without arguments.
set -euo pipefail

check=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/check.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
cases=0

fail() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n' "$@"
}

# put PATH LINE...: adds lines to a file of the tree.
put() {
  mkdir -p "$scratch/tree/${1%/*}"
  printf '%s\n' "${@:2}" >>"$scratch/tree/$1"
}

# A tree with one of everything that is allowed, and with what only looks like a violation.
make_clean_tree() {
  put store/rocksdb/engine.cc '#include <rocksdb/db.h>'
  put tests/store/rocksdb/engine_test.cc '#include "rocksdb/env.h"'
  put tests/store/rocksdb/CMakeLists.txt 'pat_add_test(pat_engine_test engine_test.cc DEPS pat::store_rocksdb)'
  put server/crypto/digest.cc '#include <openssl/sha.h>'
  put tests/server/crypto/digest_test.cc '#include <openssl/sha.h>'
  put tests/server/crypto/CMakeLists.txt 'pat_add_test(' '  pat_digest_test' '  digest_test.cc)'
  put server/rpc/service.cc '#include <grpcpp/grpcpp.h>' '#include "pat/v1/token.pb.h"' \
    '#include "pat/v1/token.grpc.pb.h"'
  put server/core/clock.cc 'clock_gettime(CLOCK_REALTIME, &now);'
  put client/clock.cc 'return absl::Now();'
  put server/core/rules.cc '#include "store/rocksdb/../token_store.h"' '#include "absl/time/time.h"' \
    '// Never absl::Now(), clock_gettime() or time(nullptr) here; #include <grpcpp/grpcpp.h> neither.' \
    'const absl::Time now = clock.Now();  // Not std::chrono::system_clock::now().' \
    'uptime(0); record.time(0); record->time(0); std::time_t t; absl::NowPlus(); Renow(now());'
  put server/core/rules.h '#include "server/core/pb.h"' '#include "server/core/grpc_free.h"'
  put tests/server/core/rules_test.cc '// No sleep_for() and no DISABLED_ here.' 'absl::Now();' \
    'absl::SleepFor(step);  // Sleeps: the kernel sends no event when a port is free again.' \
    'TEST(RulesTest, NotDISABLED_) { clock.sleeper(1); AsleepFor(2); }'
  put tests/CMakeLists.txt 'pat_add_test(pat_rules_test "server/core/rules_test.cc")'
  put tests/e2e/run.sh '# sleep 1' 'echo "asleep 1"' 'sleep 0.1  # Sleeps: between two attempts to connect.'
  put tests/e2e/limit.cc "$(yes | head -n 500)"
  put deploy/wait.sh 'sleep 1'
  put build/generated/huge.cc "$(yes | head -n 900)" '#include <openssl/sha.h>'
  put .hidden/bad.cc '#include <openssl/sha.h>'
  mv "$scratch/tree" "$scratch/clean"
}

clean_tree() {
  rm -rf "$scratch/tree"
  cp -r "$scratch/clean" "$scratch/tree"
}

# finds RULE PATH LINE...: with these lines at the end of PATH, check.sh reports RULE for the last of them and nothing
# else.
finds() {
  local rule=$1 path=$2 output status=0 expected
  cases=$((cases + 1))
  clean_tree
  put "${@:2}"
  expected="$path:$(wc -l <"$scratch/tree/$path"): $rule: "
  output=$("$check" "$scratch/tree" 2>&1) || status=$?
  if [[ $status != 1 || $(grep -c ': .*: ' <<<"$output") != 1 || $(head -n 1 <<<"$output") != "$expected"* ]]; then
    fail "$rule in $path, '${*:3}': exit status $status and" "$output"
  fi
}

# passes PATH LINE...: with these lines, too, nothing is reported.
passes() {
  local output
  cases=$((cases + 1))
  clean_tree
  if (($# > 0)); then put "$@"; fi
  output=$("$check" "$scratch/tree" 2>&1) || fail "reported though all is right, '$*':" "$output"
}

make_clean_tree
passes

for path in server/core/a.cc server/rpc/a.h store/a.h store/memory/a.cc store/rocksdb_like/a.cc client/a.cc \
  tests/store/a.cc tests/support/a.h deploy/a.cc; do
  finds rocksdb-include "$path" '#include <rocksdb/db.h>'
done
finds rocksdb-include server/ops/a.cc '  #  include "rocksdb/options.h"  // Only here.'

for path in server/core/a.cc server/rpc/a.cc store/a.cc client/a.h tests/e2e/a.cc tests/server/core/a.h; do
  finds openssl-include "$path" '#include <openssl/sha.h>'
done

for path in store/a.h store/rocksdb/a.cc server/core/a.cc server/cache/a.h server/crypto/a.cc; do
  finds grpc-include "$path" '#include <grpcpp/grpcpp.h>'
done
finds grpc-include server/cache/a.cc '#include "grpc/grpc.h"'
finds grpc-include server/cache/a.cc '#include <grpc++/grpc++.h>'
finds grpc-include store/a.cc '#include "pat/v1/token.grpc.pb.h"'
passes server/upstream/a.cc '#include <grpcpp/grpcpp.h>'

finds protobuf-include server/core/a.h '#include "pat/v1/token.pb.h"'
finds protobuf-include server/core/a.h '#include <google/protobuf/message.h>'
passes server/cache/a.h '#include "pat/v1/token.pb.h"'

for path in server/core/a.cc server/core/clock.h server/cache/clock.cc store/a.cc client/a.h; do
  finds clock-read "$path" 'auto now = absl::Now();'
done
for code in 'std::chrono::system_clock::now()' 'steady_clock::now ()' 'Clock::now();' 'high_resolution_clock::now()' \
  'clock_gettime(CLOCK_BOOTTIME, &t);' '::gettimeofday(&t, nullptr);' 'time(nullptr)' 'x = time( NULL );' '::time(0)' \
  'time(&t);' 'std::time(nullptr)' 'std::time(&t)' 'gpr_now(GPR_CLOCK_REALTIME)' 'using absl::Now;' 'f = &absl::Now;' \
  'timespec_get(&t, TIME_UTC);' 'url = "http://x"; absl::Now();'; do
  finds clock-read server/cache/a.cc "$code"
done
passes tests/server/cache/a.cc 'auto now = absl::Now();'

finds unregistered-test tests/server/core/lost_test.cc ''
finds unregistered-test tests/lost_test.cc ''
clean_tree
put tests/CMakeLists.txt '# pat_add_test(pat_lost_test lost_test.cc)' \
  'pat_add_test(pat_x not_lost_test.cc other/lost_test.cc)'
put tests/lost_test.cc ''
cases=$((cases + 1))
output=$("$check" "$scratch/tree") || true
[[ $output == 'tests/lost_test.cc:1: unregistered-test: '* ]] || fail "it is not registered, but:" "$output"
passes tests/support/lost.cc ''

for code in 'std::this_thread::sleep_for(1s);' 'std::this_thread::sleep_until(then);' 'usleep(1000);' \
  'sleep(1);' 'nanosleep(&t, nullptr);' 'absl::SleepFor(absl::Seconds(1));' 'SleepFor(d);  // Sleeps:' \
  'SleepFor(d);  // Sleeps: reason' 'SleepFor(d);  // because it is so'; do
  finds test-sleep tests/server/core/a.cc "$code"
done
finds test-sleep tests/e2e/a.sh 'sleep 1'  # Sleeps: never; this is text to plant.
finds test-sleep tests/e2e/a.sh 'while ! ready; do sleep "$step"; done'  # Sleeps: never; this is text to plant.
finds test-sleep tests/e2e/a.sh 'sleep 1  # Sleeps:'  # Sleeps: never; this is text to plant.
finds test-sleep tests/e2e/a.py 'time.sleep(1)'  # Sleeps: never; this is text to plant.
passes server/core/a.cc 'absl::SleepFor(step);'

finds disabled-test tests/server/core/a.cc 'TEST(RulesTest, DISABLED_Works) {'
finds disabled-test tests/server/core/a.cc 'TEST_F(DISABLED_RulesTest, Works) {'

for path in server/core/a.cc store/a.h tests/a.cc proto/a.proto deploy/a.sh cmake/a.cmake tests/e2e/CMakeLists.txt; do
  finds long-file "$path" "$(yes '# x' | head -n 501)"
done
finds long-file tests/e2e/limit.cc y
passes docs/a.md "$(yes | head -n 900)"

cases=$((cases + 2))
mkdir "$scratch/empty"
status=0
"$check" "$scratch/empty" 2>/dev/null || status=$?
[[ $status == 2 ]] || fail "an empty directory: exit status $status instead of 2"
status=0
"$check" "$scratch/nowhere" 2>/dev/null || status=$?
[[ $status == 2 ]] || fail "a directory that is not there: exit status $status instead of 2"

# So is a run in which a tool failed.
cases=$((cases + 1))
clean_tree
mkdir "$scratch/bin"
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/awk"
chmod +x "$scratch/bin/awk"
status=0
PATH=$scratch/bin:$PATH "$check" "$scratch/tree" >/dev/null 2>&1 || status=$?
[[ $status == 2 ]] || fail "without awk: exit status $status instead of 2"

# Several violations in one run are all reported.
clean_tree
put server/core/a.cc '#include <rocksdb/db.h>' '#include <openssl/sha.h>' '#include <grpcpp/grpcpp.h>' \
  '#include "a.pb.h"' 'absl::Now();'
put tests/lost_test.cc 'TEST(A, DISABLED_B) { usleep(1); }'
put store/long.cc "$(yes | head -n 600)"
cases=$((cases + 1))
rules=$("$check" "$scratch/tree" | sed -n 's/^[^ ]*: \([a-z]*-[a-z]*\): .*/\1/p' | sort | xargs) || true
expected='clock-read disabled-test grpc-include long-file openssl-include protobuf-include rocksdb-include test-sleep'
expected+=' unregistered-test'
[[ $rules == "$expected" ]] || fail "of all nine at once, found: $rules"

echo "$cases cases, $failures failures"
((failures == 0))
