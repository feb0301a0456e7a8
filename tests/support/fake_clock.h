// FakeClockSource: the two clocks of a machine, moved by hand. Tests tell stories of hours with it and never sleep.
#ifndef PAT_TESTS_SUPPORT_FAKE_CLOCK_H_
#define PAT_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/clock.h"

namespace pat {

// Starts at 2023-11-14 22:13:20 UTC (1,700,000,000 s), one day after boot. Each clock stands still until it is moved.
//
// Threads: all methods are thread-safe. A clock that is read by other threads meanwhile sees each move whole: never one
// clock moved by Advance() and the other one not yet.
class FakeClockSource final : public ClockSource {
 public:
  static constexpr int64_t kStartSeconds = 1'700'000'000;

  FakeClockSource() = default;
  explicit FakeClockSource(absl::Time wall) : wall_nanos_(absl::ToUnixNanos(wall)) {}

  int64_t WallNanos() const override {
    absl::MutexLock lock(&mutex_);
    return wall_nanos_;
  }

  int64_t BootNanos() const override {
    absl::MutexLock lock(&mutex_);
    return boot_nanos_;
  }

  // Time passes: both clocks move on. What a machine sees that sleeps, too.
  void Advance(absl::Duration duration) {
    absl::MutexLock lock(&mutex_);
    wall_nanos_ += absl::ToInt64Nanoseconds(duration);
    boot_nanos_ += absl::ToInt64Nanoseconds(duration);
  }

  // Somebody sets the wall clock, forwards or backwards.
  void SetWall(absl::Time wall) {
    absl::MutexLock lock(&mutex_);
    wall_nanos_ = absl::ToUnixNanos(wall);
  }

  // Only the boot clock moves on: the wall clock was set back by as much meanwhile, or stood still while the machine
  // slept.
  void AdvanceBoot(absl::Duration duration) {
    absl::MutexLock lock(&mutex_);
    boot_nanos_ += absl::ToInt64Nanoseconds(duration);
  }

  absl::Time wall() const { return absl::FromUnixNanos(WallNanos()); }

 private:
  mutable absl::Mutex mutex_;
  int64_t wall_nanos_ ABSL_GUARDED_BY(mutex_) = kStartSeconds * 1'000'000'000;
  int64_t boot_nanos_ ABSL_GUARDED_BY(mutex_) = int64_t{86'400} * 1'000'000'000;
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_FAKE_CLOCK_H_
