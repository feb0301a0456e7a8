// PeriodicTask: something to be done every so often, on a thread of its own.
#ifndef PAT_SERVER_OPS_PERIODIC_TASK_H_
#define PAT_SERVER_OPS_PERIODIC_TASK_H_

#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace pat {

class PeriodicTask {
 public:
  // Runs `task` an `interval` from now for the first time, and an interval after each time that it returned.
  PeriodicTask(absl::Duration interval, std::function<void()> task)
      : interval_(interval), task_(std::move(task)), thread_([this] { Work(); }) {}

  // Returns when a run that is under way has ended.
  ~PeriodicTask() {
    {
      const absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    thread_.join();
  }

  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

 private:
  void Work() {
    while (true) {
      {
        const absl::MutexLock lock(&mutex_);
        if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), interval_)) return;
      }
      task_();
    }
  }

  const absl::Duration interval_;
  const std::function<void()> task_;

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_PERIODIC_TASK_H_
