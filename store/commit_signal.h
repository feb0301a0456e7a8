// CommitSignal: how threads wait for a mutation. Both engines have one.
//
// Apart from the lock that readers take, so that whoever waits costs them nothing.
//
// Threads: thread-safe.
#ifndef PAT_STORE_COMMIT_SIGNAL_H_
#define PAT_STORE_COMMIT_SIGNAL_H_

#include <algorithm>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace pat {

class CommitSignal {
 public:
  explicit CommitSignal(uint64_t sequence) : sequence_(sequence) {}

  // Mutation `sequence`, and all before it, are durable.
  void Raise(uint64_t sequence) {
    const absl::MutexLock lock(&mutex_);
    sequence_ = std::max(sequence_, sequence);
  }

  // As TokenReader::WaitForCommit.
  bool Wait(uint64_t after, absl::Duration timeout) const {
    const absl::MutexLock lock(&mutex_);
    const auto over = [this, after]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ || sequence_ > after; };
    mutex_.AwaitWithTimeout(absl::Condition(&over), timeout);
    return !ended_ && sequence_ > after;
  }

  // As TokenReader::EndWaiting.
  void End() {
    const absl::MutexLock lock(&mutex_);
    ended_ = true;
  }

 private:
  mutable absl::Mutex mutex_;
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pat

#endif  // PAT_STORE_COMMIT_SIGNAL_H_
