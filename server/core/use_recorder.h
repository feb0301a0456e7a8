// UseRecorder: when tokens were last used, to the minute, without a write per call.
//
// A use is an introspection that found the token active. Uses are put together by token and minute in memory and
// written in batches by maintenance, without waiting for the disk: a crash loses at most what was noted since the last
// batch.
//
// Note() is on the hot path: for a token that was noted in this minute it is one read of a table of atomics (a filter
// that may forget, never lie), and allocates nothing. Otherwise a lock that is shared by few.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_CORE_USE_RECORDER_H_
#define PAT_SERVER_CORE_USE_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "store/token_store.h"
#include "store/uid.h"

namespace pat {

// That a token was used, and when last.
struct NotedUse {
  TokenUid uid;
  absl::Time time;
};

class UseRecorder {
 public:
  // `most_waiting`: tokens whose use is kept in memory between two batches; beyond, uses are dropped and counted.
  explicit UseRecorder(size_t most_waiting = 1'000'000);
  ~UseRecorder();

  UseRecorder(const UseRecorder&) = delete;
  UseRecorder& operator=(const UseRecorder&) = delete;

  void Note(const TokenUid& uid, absl::Time now);

  // Writes what was noted since the last time, in transactions of bounded size. Returns how many tokens. After an error
  // what could not be written is kept for the next time. For one thread at a time.
  absl::StatusOr<size_t> Flush(TokenStore& store);

  // For who has no store and tells somebody else (a sidecar): takes out what was noted, at most so many; and puts back
  // what could not be told. Each call for one thread at a time.
  std::vector<NotedUse> Take(size_t most);
  void PutBack(absl::Span<const NotedUse> uses);

  uint64_t dropped() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_USE_RECORDER_H_
