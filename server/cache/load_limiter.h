// LoadLimiter: at most so many loads at a time, and so many a second. Hits never pass through here.
//
// The rate is kept as the instant until which past loads have used it up (GCRA); up to one second's worth may come at
// once.
//
// Threads: thread-safe, lock-free.
#ifndef PAT_SERVER_CACHE_LOAD_LIMITER_H_
#define PAT_SERVER_CACHE_LOAD_LIMITER_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace pat {

class LoadLimiter {
 public:
  LoadLimiter(int64_t max_in_flight, int64_t max_per_second)
      : max_in_flight_(max_in_flight), nanos_per_load_(1'000'000'000 / max_per_second) {}

  // True: go on, and call End() when done. False: refuse.
  bool Begin(absl::Time now) {
    if (in_flight_.fetch_add(1, std::memory_order_relaxed) >= max_in_flight_) {
      End();
      return false;
    }
    const int64_t now_nanos = absl::ToUnixNanos(now);
    int64_t used_until = used_until_.load(std::memory_order_relaxed);
    while (true) {
      const int64_t begin = used_until > now_nanos ? used_until : now_nanos;
      if (begin - now_nanos > kBurstNanos - nanos_per_load_) {
        End();
        return false;
      }
      if (used_until_.compare_exchange_weak(used_until, begin + nanos_per_load_, std::memory_order_relaxed))
        return true;
    }
  }

  void End() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  static constexpr int64_t kBurstNanos = 1'000'000'000;

  const int64_t max_in_flight_;
  const int64_t nanos_per_load_;
  std::atomic<int64_t> in_flight_{0};
  std::atomic<int64_t> used_until_{INT64_MIN / 2};
};

}  // namespace pat

#endif  // PAT_SERVER_CACHE_LOAD_LIMITER_H_
