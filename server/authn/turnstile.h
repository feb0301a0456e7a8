// Turnstile: so many at a time, so many who wait, and everybody else is sent away at once.
//
// Whoever waits does so until its turn, also if its call has been given up meanwhile: the short queue is what bounds
// that. (For passwords: 16 who wait, two at a time, a tenth of a second each; under a second.)
//
// Threads: thread-safe.
#ifndef PAT_SERVER_AUTHN_TURNSTILE_H_
#define PAT_SERVER_AUTHN_TURNSTILE_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace pat {

class Turnstile {
 public:
  Turnstile(size_t most_inside, size_t most_waiting) : most_inside_(most_inside), most_waiting_(most_waiting) {}

  // Waits for a place. False, at once: too many are waiting. After true: Leave(), once.
  bool Enter() {
    const absl::MutexLock lock(&mutex_);
    const auto has_place = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return inside_ < most_inside_; };
    if (!has_place()) {
      if (waiting_ >= most_waiting_) return false;
      ++waiting_;
      mutex_.Await(absl::Condition(&has_place));
      --waiting_;
    }
    ++inside_;
    return true;
  }

  void Leave() {
    const absl::MutexLock lock(&mutex_);
    --inside_;
  }

  // For tests and metrics; a moment's truth.
  size_t waiting() const {
    const absl::MutexLock lock(&mutex_);
    return waiting_;
  }

 private:
  const size_t most_inside_;
  const size_t most_waiting_;

  mutable absl::Mutex mutex_;
  size_t inside_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_TURNSTILE_H_
