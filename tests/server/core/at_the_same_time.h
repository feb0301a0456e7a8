// Calls that begin together, each on a thread of its own.
#ifndef PAT_TESTS_SERVER_CORE_AT_THE_SAME_TIME_H_
#define PAT_TESTS_SERVER_CORE_AT_THE_SAME_TIME_H_

#include <functional>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"

namespace pat {

// Lets them begin together. Each returns when all are done.
inline void AtTheSameTime(const std::vector<std::function<void()>>& calls) {
  // The last one to pass it deletes it.
  auto* const barrier = new absl::Barrier(static_cast<int>(calls.size()));
  std::vector<std::thread> threads;
  threads.reserve(calls.size());
  for (const std::function<void()>& call : calls) {
    threads.emplace_back([barrier, &call] {
      if (barrier->Block()) delete barrier;
      call();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pat

#endif  // PAT_TESTS_SERVER_CORE_AT_THE_SAME_TIME_H_
