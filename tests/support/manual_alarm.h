// ManualAlarm: an alarm that goes off when a test says so.
#ifndef PAT_TESTS_SUPPORT_MANUAL_ALARM_H_
#define PAT_TESTS_SUPPORT_MANUAL_ALARM_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/core/alarm.h"

namespace pat {

// Threads: thread-safe.
class ManualAlarm final : public Alarm {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  void SetNoLaterThan(int64_t boot_nanos) override {
    const absl::MutexLock lock(&mutex_);
    at_ = std::min(at_, boot_nanos);
  }

  // When it is to go off.
  int64_t at() const {
    const absl::MutexLock lock(&mutex_);
    return at_;
  }

  // True: it has just gone off, so do what it is for.
  bool GoesOff(int64_t boot_nanos) {
    const absl::MutexLock lock(&mutex_);
    if (at_ > boot_nanos) return false;
    at_ = kNever;
    return true;
  }

 private:
  mutable absl::Mutex mutex_;
  int64_t at_ ABSL_GUARDED_BY(mutex_) = kNever;
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_MANUAL_ALARM_H_
