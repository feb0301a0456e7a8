// FailureObserver: writes down which attempts failed, as the log would have it.
#ifndef PAT_TESTS_SERVER_UPSTREAM_FAILURE_OBSERVER_H_
#define PAT_TESTS_SERVER_UPSTREAM_FAILURE_OBSERVER_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/upstream/upstream_observer.h"

namespace pat {

// Threads: thread-safe.
class FailureObserver : public UpstreamObserver {
 public:
  void OnFailure(UpstreamCall /*call*/, absl::string_view text) override {
    const absl::MutexLock lock(&mutex_);
    last_failure_ = std::string(text);
    ++failures_;
  }

  int failures() const {
    const absl::MutexLock lock(&mutex_);
    return failures_;
  }
  std::string last_failure() const {
    const absl::MutexLock lock(&mutex_);
    return last_failure_;
  }

 private:
  mutable absl::Mutex mutex_;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string last_failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_UPSTREAM_FAILURE_OBSERVER_H_
