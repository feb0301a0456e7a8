// CommitWatch: tells others that something was committed, from a thread of its own that waits for it.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_CORE_COMMIT_WATCH_H_
#define PAT_SERVER_CORE_COMMIT_WATCH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "store/token_store.h"

namespace pat {

class CommitWatch {
 public:
  // `store` must outlive this object, which ends all waiting in it: so there is one for a store, until the end.
  explicit CommitWatch(TokenReader& store);
  ~CommitWatch();

  CommitWatch(const CommitWatch&) = delete;
  CommitWatch& operator=(const CommitWatch&) = delete;

  // From now on `on_commit` is called after every commit that is durable, once for those that come together. It must
  // return soon, and must not call this object. The result is for Remove().
  int Add(std::function<void()> on_commit);

  // When this returns, it is not called any more.
  void Remove(int id);

 private:
  void Work();

  TokenReader& store_;

  // Touched by the thread alone, once there is one: that before which all was told.
  uint64_t seen_;

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int, std::function<void()>> listeners_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_COMMIT_WATCH_H_
