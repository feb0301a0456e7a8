// FactsRecorder: a receiver that keeps what it was given, for a test to look at.
#ifndef PAT_TESTS_SUPPORT_FACTS_RECORDER_H_
#define PAT_TESTS_SUPPORT_FACTS_RECORDER_H_

#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/facts_reader.h"

namespace pat {

// A FactsAnswer that is owned, not lent; or the error.
struct ReceivedFacts {
  absl::Status status;
  std::optional<TokenFacts> facts;
  FactsSource source = FactsSource::kStore;
  absl::Time now;
  absl::Time read_time;
  absl::Time fresh_until;
  absl::Duration fresh_for;

  bool active() const { return facts.has_value(); }
};

ReceivedFacts Keep(const absl::StatusOr<FactsAnswer>& answer);

// Threads: thread-safe.
class FactsRecorder final : public FactsReceiver {
 public:
  void Receive(const absl::StatusOr<FactsAnswer>& answer) override;

  bool done() const { return times() > 0; }

  // How often Receive() was called. A right reader calls it once.
  int times() const;

  // Waits until Receive() was called.
  ReceivedFacts Wait() const;

 private:
  mutable absl::Mutex mutex_;
  int times_ ABSL_GUARDED_BY(mutex_) = 0;
  ReceivedFacts received_ ABSL_GUARDED_BY(mutex_);
};

// Asks, and waits for the answer.
ReceivedFacts Ask(FactsReader& reader, const TokenDigest& digest,
                  std::optional<absl::Duration> max_staleness = std::nullopt);

// The digest of a well-formed secret that nobody has; another one for each number.
TokenDigest UnknownDigest(uint64_t number);

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_FACTS_RECORDER_H_
