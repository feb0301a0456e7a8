// ControlledFactsReader: a source of facts whose answers a test can count, hold back and spoil.
#ifndef PAT_TESTS_SUPPORT_CONTROLLED_FACTS_READER_H_
#define PAT_TESTS_SUPPORT_CONTROLLED_FACTS_READER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/core/facts_reader.h"
#include "tests/support/facts_recorder.h"

namespace pat {

// Passes every call on to `source`, which must answer within Find(), unless told otherwise.
//
// Threads: thread-safe.
class ControlledFactsReader final : public FactsReader {
 public:
  explicit ControlledFactsReader(FactsReader& source) : source_(source) {}

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

  // How often Find() was called.
  size_t finds() const;

  // The max_staleness of the last call.
  std::optional<absl::Duration> last_staleness() const;

  // The timeout of the last call.
  std::optional<absl::Duration> last_timeout() const;

  // The source's answers are good for at most so long, as if it had a cache of its own. Set it before there are other
  // threads.
  absl::Duration most_fresh_for = absl::InfiniteDuration();

  // From now on the source is asked at once, but what it said is told later: a read that was overtaken on its way.
  void Hold();

  // How many answers are held back.
  size_t held() const;

  // Tells the oldest answer that is held back; or, if it is an error, `instead`.
  void ReleaseOldest(const absl::Status& instead = absl::OkStatus());

  // The same with the newest one.
  void ReleaseNewest(const absl::Status& instead = absl::OkStatus());

  // Tells all answers that are held back, in order, and holds back no more. If `instead` is an error, everybody gets
  // it.
  void Release(const absl::Status& instead = absl::OkStatus());

  // From now on everybody gets this, and the source is not asked. OkStatus ends it.
  void FailWith(const absl::Status& status);

 private:
  struct HeldAnswer {
    FactsReceiver* receiver;
    ReceivedFacts answer;
  };

  static void Tell(const HeldAnswer& held);

  FactsReader& source_;

  mutable absl::Mutex mutex_;
  size_t finds_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Duration> last_staleness_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Duration> last_timeout_ ABSL_GUARDED_BY(mutex_);
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<HeldAnswer> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_CONTROLLED_FACTS_READER_H_
