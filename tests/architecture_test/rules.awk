# The rules about single lines, and about how many of them a file has. See check.sh.

function report(rule, text) { print path ":" FNR ": " rule ": " text }

function in_directory(directory) { return index(path, directory "/") == 1 }

function includes(pattern) { return line ~ ("^[ \t]*#[ \t]*include[ \t]*[<\"]" pattern) }

function finish_file() {
  if (path != "" && lines > 500) {
    print path ":" lines ": long-file: " lines " lines; over 500 it is perhaps two things"
  }
}

FNR == 1 {
  finish_file()
  path = FILENAME
  sub(/^\.\//, "", path)
  is_cpp = path ~ /\.(cc|h|c|cpp|hpp)$/
  is_script = path ~ /\.(sh|py)$/
  is_test = in_directory("tests")
  is_product = in_directory("server") || in_directory("store") || in_directory("client")
  may_read_clock = path == "server/core/clock.cc" || path == "client/clock.cc"
  no_grpc = in_directory("store") || in_directory("server/core") || in_directory("server/cache") ||
    in_directory("server/crypto")
}

{ lines = FNR }

is_cpp {
  # A comment may name what the code may not use. Includes and marks are looked at before it is cut off.
  line = $0
  if (includes("rocksdb/") && !in_directory("store/rocksdb") && !in_directory("tests/store/rocksdb")) {
    report("rocksdb-include", "only store/rocksdb and its tests know RocksDB")
  }
  if (includes("openssl/") && !in_directory("server/crypto") && !in_directory("tests/server/crypto")) {
    report("openssl-include", "only server/crypto and its tests know BoringSSL")
  }
  if (no_grpc && (includes("(grpcpp|grpc|grpc\\+\\+)/") || includes("[^>\"]*\\.grpc\\.pb\\.h"))) {
    report("grpc-include", "store and the rules do not know gRPC")
  }
  if (in_directory("server/core") && (includes("[^>\"]*\\.pb\\.h") || includes("google/protobuf/"))) {
    report("protobuf-include", "the rules do not know protobuf")
  }
  sub(/(^|[ \t])\/\/.*$/, "", line)

  if (is_product && !may_read_clock &&
      (line ~ /(^|[^A-Za-z0-9_])absl::Now([^A-Za-z0-9_]|$)/ || line ~ /::now[ \t]*\(/ ||
       line ~ /(^|[^A-Za-z0-9_])(clock_gettime|gettimeofday|timespec_get|gpr_now|GetCurrentTimeNanos)[ \t]*\(/ ||
       line ~ /(^|[^A-Za-z0-9_])std::time[ \t]*\(/ ||
       line ~ /(^|[^A-Za-z0-9_.>])time[ \t]*\([ \t]*(nullptr|NULL|0|&)/)) {
    report("clock-read", "time comes from server/core/clock.h or client/clock.h")
  }
  if (is_test && line ~ /(^|[^A-Za-z0-9_])DISABLED_/) {
    report("disabled-test", "mend the test or remove it")
  }
  if (is_test && line ~ /(^|[^A-Za-z0-9_])(sleep|usleep|nanosleep|sleep_for|sleep_until|SleepFor)[ \t]*\(/ &&
      $0 !~ /\/\/ Sleeps: ([^ \t]+[ \t]+)+[^ \t]+/) {
    report("test-sleep", "move a fake clock, or wait for the event; else say why on the line: // Sleeps: <reason>")
  }
}

is_script && is_test {
  line = $0
  sub(/(^|[ \t])#.*$/, "", line)
  if (line ~ /(^|[;&|({ \t])sleep[ \t]+[0-9$"]/ || line ~ /(^|[^A-Za-z0-9_])time\.sleep[ \t]*\(/) {
    if ($0 !~ /# Sleeps: ([^ \t]+[ \t]+)+[^ \t]+/) {
      report("test-sleep", "wait for the event; else say why on the line: # Sleeps: <reason>")
    }
  }
}

END { finish_file() }
