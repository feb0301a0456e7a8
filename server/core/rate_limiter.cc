#include "server/core/rate_limiter.h"

namespace pat {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(1);

}  // namespace

absl::Duration RateLimiter::Take(absl::string_view caller, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  auto found = calls_.find(caller);
  if (found == calls_.end()) {
    if (calls_.size() >= most_callers_) {
      absl::erase_if(calls_, [now](const auto& known) { return known.second.back() + kWindow <= now; });
      if (calls_.size() >= most_callers_) return kWindow;
    }
    found = calls_.try_emplace(std::string(caller)).first;
  }
  std::deque<absl::Time>& calls = found->second;
  while (!calls.empty() && calls.front() + kWindow <= now) calls.pop_front();
  if (calls.size() >= most_in_a_second_) return calls.front() + kWindow - now;
  calls.push_back(now);
  return absl::ZeroDuration();
}

}  // namespace pat
