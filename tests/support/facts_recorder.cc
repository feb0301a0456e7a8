#include "tests/support/facts_recorder.h"

#include <array>
#include <cstring>

#include "absl/strings/string_view.h"
#include "server/crypto/digest.h"

namespace pat {

ReceivedFacts Keep(const absl::StatusOr<FactsAnswer>& answer) {
  ReceivedFacts kept;
  kept.status = answer.status();
  if (!answer.ok()) return kept;
  if (answer->facts != nullptr) kept.facts = *answer->facts;
  kept.source = answer->source;
  kept.now = answer->now;
  kept.read_time = answer->read_time;
  kept.fresh_until = answer->fresh_until;
  kept.fresh_for = answer->fresh_for;
  return kept;
}

void FactsRecorder::Receive(const absl::StatusOr<FactsAnswer>& answer) {
  const absl::MutexLock lock(&mutex_);
  ++times_;
  received_ = Keep(answer);
}

int FactsRecorder::times() const {
  const absl::MutexLock lock(&mutex_);
  return times_;
}

ReceivedFacts FactsRecorder::Wait() const {
  const auto received = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return times_ > 0; };
  const absl::MutexLock lock(&mutex_, absl::Condition(&received));
  return received_;
}

ReceivedFacts Ask(FactsReader& reader, const TokenDigest& digest, std::optional<absl::Duration> max_staleness) {
  FactsRecorder recorder;
  reader.Find(digest, {.max_staleness = max_staleness}, recorder);
  return recorder.Wait();
}

TokenDigest UnknownDigest(uint64_t number) {
  std::array<char, sizeof(number)> bytes{};
  std::memcpy(bytes.data(), &number, sizeof(number));
  return {.bytes = Sha256(absl::string_view(bytes.data(), bytes.size()))};
}

}  // namespace pat
