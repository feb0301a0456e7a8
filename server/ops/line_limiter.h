// LineLimiter: at most one line of a kind in a second, so that nobody who can make a line be written can fill the disk
// of the log.
//
// Threads: thread-safe, lock-free.
#ifndef PAT_SERVER_OPS_LINE_LIMITER_H_
#define PAT_SERVER_OPS_LINE_LIMITER_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "server/core/clock.h"

namespace pat {

class LineLimiter {
 public:
  // `clock` must outlive this object.
  explicit LineLimiter(const Clock& clock) : clock_(clock) {}

  // How many lines were kept back since the last one that was written; nullopt: keep this one back too.
  std::optional<uint64_t> Admit() {
    const int64_t second = absl::ToUnixSeconds(clock_.Now());
    if (last_line_.exchange(second, std::memory_order_relaxed) == second) {
      kept_back_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return kept_back_.exchange(0, std::memory_order_relaxed);
  }

 private:
  const Clock& clock_;
  std::atomic<int64_t> last_line_{INT64_MIN};
  std::atomic<uint64_t> kept_back_{0};
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_LINE_LIMITER_H_
