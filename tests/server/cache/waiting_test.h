// WaitingCache: a cache that is told when somebody's time is up, over a source that can be controlled.
#ifndef PAT_TESTS_SERVER_CACHE_WAITING_TEST_H_
#define PAT_TESTS_SERVER_CACHE_WAITING_TEST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/error.h"
#include "tests/support/controlled_facts_reader.h"
#include "tests/support/manual_alarm.h"
#include "tests/support/test_authority.h"

namespace pat {

inline constexpr absl::Duration kLoadTimeout = absl::Seconds(1);

// What a source says that was not answered in time, and what the cache says to whose time is up.
inline absl::Status SourceTimedOut() {
  return MakeError(absl::StatusCode::kUnavailable, "timed out", {.reason = "SOURCE_TIMED_OUT"});
}
inline absl::Status TooLate() { return MakeError(absl::StatusCode::kUnavailable, "too late", {.reason = "TOO_LATE"}); }

struct WaitingCache {
  explicit WaitingCache(const CacheOptions& options = {}) : cache(source, authority.clock, With(options), &alarm) {
    authority.AddUser("ada");
  }

  static CacheOptions With(CacheOptions options) {
    options.load_timeout = kLoadTimeout;
    options.too_late = TooLate();
    return options;
  }

  // Time passes, and the alarm goes off on its way.
  void Advance(absl::Duration duration) {
    const int64_t end = authority.time.BootNanos() + absl::ToInt64Nanoseconds(duration);
    while (alarm.at() <= end) {
      authority.time.Advance(absl::Nanoseconds(std::max(alarm.at() - authority.time.BootNanos(), int64_t{0})));
      if (alarm.GoesOff(authority.time.BootNanos())) cache.DismissLate();
    }
    authority.time.Advance(absl::Nanoseconds(end - authority.time.BootNanos()));
  }
  size_t loads() const { return source.finds(); }

  TestAuthority authority;
  ManualAlarm alarm;
  ControlledFactsReader source{authority.facts};
  CachingFactsReader cache;
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_CACHE_WAITING_TEST_H_
