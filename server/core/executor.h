// Executor: threads that may wait (for a disk, for scrypt), so that those of the hot path never do.
#ifndef PAT_SERVER_CORE_EXECUTOR_H_
#define PAT_SERVER_CORE_EXECUTOR_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace pat {

class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` soon, on a thread that may wait. Never runs it within the call. Returns false, and drops the task, if
  // there are too many waiting; the caller answers RESOURCE_EXHAUSTED. Thread-safe.
  virtual bool Run(absl::AnyInvocable<void()> task) = 0;
};

// A fixed number of threads and a bounded queue. The destructor runs what is queued and joins the threads.
class ThreadPool final : public Executor {
 public:
  ThreadPool(size_t threads, size_t queue_limit);
  ~ThreadPool() override;

  bool Run(absl::AnyInvocable<void()> task) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  // Constant after construction.
  const size_t queue_limit_;
  std::vector<std::thread> threads_;

  // Protected by mutex_.
  absl::Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_EXECUTOR_H_
