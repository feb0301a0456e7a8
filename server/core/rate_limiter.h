// RateLimiter: at most so many calls of one caller within any second.
//
// It remembers the callers of the last second, and a bounded number of them: while there is no room, a caller who is
// not known is refused.
//
// Threads: thread-safe. Time is an argument.
#ifndef PAT_SERVER_CORE_RATE_LIMITER_H_
#define PAT_SERVER_CORE_RATE_LIMITER_H_

#include <cstddef>
#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace pat {

class RateLimiter {
 public:
  explicit RateLimiter(size_t most_in_a_second, size_t most_callers = 10'000)
      : most_in_a_second_(most_in_a_second), most_callers_(most_callers) {}

  // Zero: go on; the call counts. Otherwise when to try again; it does not count.
  absl::Duration Take(absl::string_view caller, absl::Time now);

 private:
  const size_t most_in_a_second_;
  const size_t most_callers_;

  absl::Mutex mutex_;
  // The calls of the last second, oldest first.
  absl::flat_hash_map<std::string, std::deque<absl::Time>> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_RATE_LIMITER_H_
