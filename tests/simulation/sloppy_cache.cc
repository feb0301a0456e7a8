#include "tests/simulation/sloppy_cache.h"

#include <algorithm>

namespace pat::simulation {

// One question to the source. Deletes itself when it is answered.
class SloppyCache::Question final : public FactsReceiver {
 public:
  Question(SloppyCache& cache, const TokenDigest& asked, FactsReceiver& receiver)
      : digest(asked), began_at(cache.clock_.Read()), drops(cache.drops_), cache_(cache), receiver_(receiver) {}

  void Receive(const absl::StatusOr<FactsAnswer>& answer) override {
    Entry* const entry = cache_.FindEntry(digest);
    const bool is_stale = !answer.ok() && cache_.fault_ == Fault::kServesStaleOnError && entry != nullptr;
    if (answer.ok()) cache_.Keep(*this, *answer);
    if (is_stale) {
      cache_.AnswerFrom(*entry, receiver_);
    } else {
      receiver_.Receive(answer);
    }
    delete this;
  }

  const TokenDigest digest;
  const Reading began_at;
  const uint64_t drops;

 private:
  SloppyCache& cache_;
  FactsReceiver& receiver_;
};

void SloppyCache::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  Entry* const entry = options.max_staleness.has_value() ? nullptr : FindEntry(digest);
  if (entry != nullptr && IsUsable(*entry, clock_.Read())) {
    if (fault_ == Fault::kSlidesOnHit) entry->kept_at = clock_.Read();
    return AnswerFrom(*entry, receiver);
  }
  FindOptions from_source = options;
  const bool asks_now = fault_ == Fault::kKeepsOvertaken || fault_ == Fault::kJoinsNothing;
  if (asks_now) from_source.max_staleness = absl::ZeroDuration();
  source_.Find(digest, from_source, *new Question(*this, digest, receiver));
}

SloppyCache::Entry* SloppyCache::FindEntry(const TokenDigest& digest) {
  const auto found = entries_.find(digest.bytes);
  return found == entries_.end() ? nullptr : &found->second;
}

bool SloppyCache::IsUsable(const Entry& entry, const Reading& now) const {
  const absl::Duration age = fault_ == Fault::kAgesByWallClock
                                 ? absl::Nanoseconds(now.wall_nanos - entry.kept_at.wall_nanos)
                                 : Age(entry.kept_at, now);
  if (age > entry.good_for) return false;
  return fault_ == Fault::kIgnoresExpiry || !entry.facts.has_value() || now.now < entry.facts->expire_time;
}

void SloppyCache::AnswerFrom(const Entry& kept, FactsReceiver& receiver) {
  const Entry entry = kept;  // The receiver may ask again, and then it is another one.
  const Reading now = clock_.Read();
  FactsAnswer answer{.facts = entry.facts.has_value() ? &*entry.facts : nullptr,
                     .source = FactsSource::kCache,
                     .now = now.now,
                     .read_time = entry.kept_at.now,
                     .fresh_until = entry.kept_at.now + entry.good_for,
                     .fresh_for = std::max(entry.good_for - Age(entry.kept_at, now), absl::ZeroDuration())};
  // Who does not look at the expiry does not do it when the verdict is computed, either.
  if (fault_ == Fault::kIgnoresExpiry && answer.facts != nullptr) {
    answer.now = std::min(answer.now, answer.facts->expire_time - absl::Nanoseconds(1));
  }
  receiver.Receive(answer);
}

void SloppyCache::Keep(const Question& question, const FactsAnswer& answer) {
  if (question.drops != drops_ && fault_ != Fault::kKeepsOvertaken) return;
  const bool is_active = answer.facts != nullptr;
  if (!is_active && fault_ != Fault::kKeepsInactive) return;
  // What another entry gave has aged already.
  if (fault_ == Fault::kIgnoresExpiry && answer.source != FactsSource::kStore) return;
  Entry entry;
  if (is_active) entry.facts = *answer.facts;
  entry.kept_at = fault_ == Fault::kLoadedAfterwards ? clock_.Read() : question.began_at;
  const bool expires_soon = is_active && answer.facts->expire_time - answer.now < ttl_;
  const bool is_honest = fault_ != Fault::kLoadedAfterwards && !(fault_ == Fault::kIgnoresExpiry && expires_soon);
  entry.good_for = is_active && is_honest ? std::min(ttl_, answer.fresh_for) : ttl_;
  if (fault_ == Fault::kMixesScopes && is_active) {
    for (auto& [digest, other] : entries_) {
      if (other.facts.has_value() && other.facts->owner_id == answer.facts->owner_id) {
        entry.facts->scopes = other.facts->scopes;
      }
    }
  }
  entries_[question.digest.bytes] = entry;
}

void SloppyCache::DropAll() {
  ++drops_;
  entries_.clear();
}

}  // namespace pat::simulation
