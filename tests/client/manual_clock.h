// ManualClock: a clock that stands still until it is moved.
#ifndef PAT_TESTS_CLIENT_MANUAL_CLOCK_H_
#define PAT_TESTS_CLIENT_MANUAL_CLOCK_H_

#include "absl/time/time.h"
#include "client/clock.h"

namespace pat::client {

// Starts at 2026-11-23 15:04:05 UTC. Used by one thread.
class ManualClock final : public Clock {
 public:
  static absl::Time Start() { return absl::FromCivil(absl::CivilSecond(2026, 11, 23, 15, 4, 5), absl::UTCTimeZone()); }

  absl::Time Now() const override { return now_; }
  void Advance(absl::Duration duration) { now_ += duration; }

 private:
  absl::Time now_ = Start();
};

}  // namespace pat::client

#endif  // PAT_TESTS_CLIENT_MANUAL_CLOCK_H_
