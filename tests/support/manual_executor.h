// ManualExecutor: tasks wait until a test runs them.
#ifndef PAT_TESTS_SUPPORT_MANUAL_EXECUTOR_H_
#define PAT_TESTS_SUPPORT_MANUAL_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/core/executor.h"

namespace pat {

// Threads: thread-safe.
class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(size_t limit = SIZE_MAX) : limit_(limit) {}

  bool Run(absl::AnyInvocable<void()> task) override {
    const absl::MutexLock lock(&mutex_);
    if (tasks_.size() >= limit_) return false;
    tasks_.push_back(std::move(task));
    return true;
  }

  size_t waiting() const {
    const absl::MutexLock lock(&mutex_);
    return tasks_.size();
  }

  // Runs what waits, here and now.
  void RunAll() {
    std::deque<absl::AnyInvocable<void()>> tasks;
    {
      const absl::MutexLock lock(&mutex_);
      tasks.swap(tasks_);
    }
    for (absl::AnyInvocable<void()>& task : tasks) std::move(task)();
  }

 private:
  const size_t limit_;
  mutable absl::Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_MANUAL_EXECUTOR_H_
