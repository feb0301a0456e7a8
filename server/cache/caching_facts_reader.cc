#include "server/cache/caching_facts_reader.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "server/cache/read_section.h"
#include "server/core/error.h"

namespace pat {
namespace {

// The answer that rests on what was loaded at `loaded_at` and is good for so long from then on.
FactsAnswer MakeAnswer(const TokenFacts* facts, FactsSource source, const Reading& now, const Reading& loaded_at,
                       absl::Duration good_for) {
  FactsAnswer answer;
  answer.facts = facts;
  answer.source = source;
  answer.now = now.now;
  answer.read_time = loaded_at.now;
  answer.fresh_until = loaded_at.now + good_for;
  absl::Duration left = good_for - Age(loaded_at, now);
  if (facts != nullptr) left = std::min(left, facts->expire_time - now.now);
  answer.fresh_for = std::max(left, absl::ZeroDuration());
  return answer;
}

}  // namespace

// One question to the source, and everybody who waits for its answer. Deletes itself when it is answered.
class CachingFactsReader::Load final : public FactsReceiver {
 public:
  Load(CachingFactsReader& cache, const TokenDigest& asked, const Reading& began)
      : digest(asked), began_at(began), cache_(cache) {}

  void Receive(const absl::StatusOr<FactsAnswer>& answer) override {
    const std::unique_ptr<Load> self(this);
    cache_.Finish(*this, answer);
  }

  // Constant after construction.
  const TokenDigest digest;
  const Reading began_at;

  // Protected by the mutex of the digest's LoadShard.
  std::vector<FactsReceiver*> waiting;
  bool overtaken = false;  // Something happened since that the answer may not know of: do not remember it, do not join.

  // Set before the source is asked.
  bool admitted = false;

 private:
  CachingFactsReader& cache_;
};

CachingFactsReader::CachingFactsReader(FactsReader& source, const Clock& clock, const CacheOptions& options)
    : source_(source),
      clock_(clock),
      options_(options),
      table_(options.capacity - options.capacity / 10, options.capacity / 10),
      limiter_(options.max_loads_in_flight, options.max_loads_per_second) {}

// The whole of the bound, as far as reading goes.
const CacheEntry* CachingFactsReader::FindUsable(const TokenDigest& digest, const Reading& now,
                                                 absl::Duration staleness) const {
  const CacheEntry* const entry = table_.Find(digest);
  if (entry == nullptr) return nullptr;
  const absl::Duration age = Age(entry->loaded_at(), now);
  if (age > staleness || age > entry->good_for()) return nullptr;
  // At its expiry an entry has ended, whatever its age: the next answer is the store's.
  if (entry->facts() != nullptr && now.now >= entry->facts()->expire_time) return nullptr;
  return entry;
}

bool CachingFactsReader::AnswerFromTable(const TokenDigest& digest, const Reading& now, absl::Duration staleness,
                                         FactsReceiver& receiver) {
  const ReadSection section;
  const CacheEntry* const entry = FindUsable(digest, now, staleness);
  if (entry == nullptr) return false;
  receiver.Receive(MakeAnswer(entry->facts(), FactsSource::kCache, now, entry->loaded_at(), entry->good_for()));
  return true;
}

void CachingFactsReader::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  table_.Prefetch(digest);  // It comes while the clocks are read.
  const Reading now = clock_.Read();
  const absl::Duration staleness = std::min(options.max_staleness.value_or(options_.ttl), options_.ttl);
  const bool may_reuse = staleness > absl::ZeroDuration();
  if (may_reuse && AnswerFromTable(digest, now, staleness, receiver)) return;

  Load* load = nullptr;
  bool filled_meanwhile = false;
  {
    LoadShard& shard = LoadShardOf(digest);
    const absl::MutexLock lock(&shard.mutex);
    auto& loads = shard.loads[digest.bytes];
    if (may_reuse && !loads.empty() && !loads.back()->overtaken && Age(loads.back()->began_at, now) <= staleness) {
      loads.back()->waiting.push_back(&receiver);
      return;
    }
    if (may_reuse && loads.empty()) {
      // A load may have ended between the look at the table and the lock: its entry is there then.
      const ReadSection section;
      filled_meanwhile = FindUsable(digest, now, staleness) != nullptr;
    }
    if (filled_meanwhile) {
      shard.loads.erase(digest.bytes);
    } else {
      load = new Load(*this, digest, now);
      load->waiting.push_back(&receiver);
      loads.push_back(load);
    }
  }
  // The entry may end before it is looked at again; then this goes round once more and finds a load to join or begins
  // one.
  if (filled_meanwhile) return Find(digest, options, receiver);

  load->admitted = limiter_.Begin(now.now);
  if (!load->admitted) {
    return load->Receive(MakeError(absl::StatusCode::kResourceExhausted, "too many tokens are being looked up",
                                   {.reason = "RATE_LIMITED", .retry_delay = absl::Milliseconds(100)}));
  }
  source_.Find(digest, {.max_staleness = absl::ZeroDuration()}, *load);
}

void CachingFactsReader::Finish(Load& load, const absl::StatusOr<FactsAnswer>& answer) {
  if (load.admitted) limiter_.End();
  const absl::Duration inactive_good_for = std::min(options_.ttl, options_.negative_ttl);
  absl::Duration good_for = inactive_good_for;
  if (answer.ok() && answer->facts != nullptr) {
    good_for = std::min(options_.ttl, answer->fresh_until - load.began_at.now);
  }
  std::vector<FactsReceiver*> waiting;
  {
    LoadShard& shard = LoadShardOf(load.digest);
    const absl::MutexLock lock(&shard.mutex);
    if (answer.ok() && !load.overtaken && good_for > absl::ZeroDuration()) {
      table_.Put(load.digest, load.began_at, good_for, answer->facts);
    }
    const auto found = shard.loads.find(load.digest.bytes);
    found->second.erase(std::find(found->second.begin(), found->second.end(), &load));
    if (found->second.empty()) shard.loads.erase(found);
    waiting.swap(load.waiting);
  }
  for (FactsReceiver* const receiver : waiting) {
    if (!answer.ok()) {
      receiver->Receive(answer.status());
      continue;
    }
    const Reading now = clock_.Read();
    // An answer that took longer than the TTL is worth no more than an entry of that age. (With a TTL of zero there is
    // nothing to compare with: every answer took longer.)
    if (options_.ttl > absl::ZeroDuration() && Age(load.began_at, now) > options_.ttl) {
      receiver->Receive(MakeError(absl::StatusCode::kUnavailable, "the answer of the store came too late",
                                  {.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)}));
      continue;
    }
    // What has expired on its way is inactive, in the same form as everything else that is.
    if (answer->facts != nullptr && now.now >= answer->facts->expire_time) {
      receiver->Receive(MakeAnswer(nullptr, FactsSource::kStore, now, load.began_at, inactive_good_for));
      continue;
    }
    receiver->Receive(MakeAnswer(answer->facts, FactsSource::kStore, now, load.began_at, good_for));
  }
}

void CachingFactsReader::ForgetInactive(const TokenDigest& digest) {
  LoadShard& shard = LoadShardOf(digest);
  const absl::MutexLock lock(&shard.mutex);
  const auto found = shard.loads.find(digest.bytes);
  if (found != shard.loads.end()) {
    for (Load* const load : found->second) load->overtaken = true;
  }
  table_.EraseInactive(digest);
}

}  // namespace pat
