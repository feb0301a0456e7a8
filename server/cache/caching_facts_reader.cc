#include "server/cache/caching_facts_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

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

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// On the boot clock alone, as all patience: that the wall clock is set makes nobody less patient.
int64_t EndOf(absl::Duration patience, const Reading& arrived) {
  const int64_t nanos = absl::ToInt64Nanoseconds(patience);
  return nanos < kNever - arrived.boot_nanos ? arrived.boot_nanos + nanos : kNever;
}

}  // namespace

absl::Status StoreIsLate() {
  return MakeError(absl::StatusCode::kUnavailable, "the store has not answered in time",
                   {.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)});
}

// Somebody who waits for a load, in its list. Protected by the mutex of that load's LoadShard until it is taken out of
// the list; who does that tells the receiver.
struct CachingFactsReader::Waiter {
  FactsReceiver* receiver = nullptr;
  Reading arrived;
  absl::Duration staleness;
  int64_t deadline = kNever;  // Of the boot clock.
  bool joined = false;        // The load had begun when it came.
  Load* load = nullptr;
  std::multimap<int64_t, Waiters::iterator>::iterator place = {};  // In LoadShard::deadlines, if HasDeadline().
};

// One question to the source, and everybody who waits for its answer. Deletes itself when it is answered.
class CachingFactsReader::Load final : public FactsReceiver {
 public:
  Load(CachingFactsReader& cache, const TokenDigest& asked, const Reading& began)
      : digest(asked), first_began_at(began), began_at(began), cache_(cache) {}

  void Receive(const absl::StatusOr<FactsAnswer>& answer) override {
    if (cache_.Finish(*this, answer)) delete this;
  }

  // How much of its time is left.
  absl::Duration LeftAt(const Reading& now) const {
    return cache_.options_.load_timeout - absl::Nanoseconds(now.boot_nanos - first_began_at.boot_nanos);
  }

  // Constant after construction.
  const TokenDigest digest;
  const Reading first_began_at;

  // Protected by the mutex of the digest's LoadShard.
  Reading began_at;
  Waiters waiting;         // May be empty: then it is for the table alone.
  bool overtaken = false;  // Something happened since that the answer may not know of: do not remember it, do not join.
  bool dropped = false;    // The same, by DropAll(): ask again.
  bool repeated = false;
  uint64_t log_position = 0;  // In push mode: what the DropLog held when it began.

  // Set before the source is asked.
  bool admitted = false;

 private:
  CachingFactsReader& cache_;
};

CachingFactsReader::CachingFactsReader(FactsReader& source, const Clock& clock, const CacheOptions& options,
                                       Alarm* alarm)
    : source_(source),
      clock_(clock),
      options_(options),
      too_late_(options.too_late),
      alarm_(alarm),
      push_(options.push ? std::make_unique<Push>() : nullptr),
      table_(options.capacity - options.capacity / 10, options.capacity / 10,
             push_ != nullptr ? &push_->index : nullptr),
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

// Called with the mutex of the load's LoadShard held, as all that follow are up to Find().
bool CachingFactsReader::MayJoin(const Load& load, const Reading& arrived, absl::Duration staleness) {
  if (load.overtaken || load.dropped || Age(load.began_at, arrived) > staleness) return false;
  if (push_ == nullptr || !load.repeated) return true;
  // A load that was repeated is not repeated again, so who joins it must have missed nothing by that.
  const absl::MutexLock lock(&push_->mutex);
  return push_->log.position() == load.log_position;
}

void CachingFactsReader::TakePosition(Load& load, bool first) {
  if (push_ == nullptr) return;
  const absl::MutexLock lock(&push_->mutex);
  if (first) push_->log.BeginLoad();
  load.log_position = push_->log.position();
}

// False: a drop has overtaken the load, so nothing is kept.
bool CachingFactsReader::KeepUnlessOvertaken(const Load& load, absl::Duration good_for, const TokenFacts* facts) {
  if (load.dropped) return false;
  if (push_ == nullptr) {
    if (!load.overtaken && good_for > absl::ZeroDuration()) table_.Put(load.digest, load.began_at, good_for, facts);
    return true;
  }
  const absl::MutexLock lock(&push_->mutex);
  if (facts != nullptr && push_->log.IsOvertaken(load.log_position, *facts)) return false;
  if (!load.overtaken && good_for > absl::ZeroDuration()) table_.Put(load.digest, load.began_at, good_for, facts);
  return true;
}

// The youngest of its digest. To be given its waiters, and to AskSource() without the mutex.
CachingFactsReader::Load& CachingFactsReader::NewLoad(Loads& loads, const TokenDigest& digest, const Reading& now) {
  auto* const load = new Load(*this, digest, now);
  loads.push_back(load);
  TakePosition(*load, /*first=*/true);
  return *load;
}

bool CachingFactsReader::HasDeadline(const Waiter& waiter) const {
  return alarm_ != nullptr && waiter.deadline != kNever;
}

void CachingFactsReader::AddWaiter(LoadShard& shard, Load& load, const Waiter& waiter) {
  const auto added = load.waiting.insert(load.waiting.end(), waiter);
  added->load = &load;
  if (HasDeadline(waiter)) added->place = shard.deadlines.emplace(waiter.deadline, added);
}

CachingFactsReader::Waiters CachingFactsReader::TakeWaiters(LoadShard& shard, Load& load) {
  for (const Waiter& waiter : load.waiting) {
    if (HasDeadline(waiter)) shard.deadlines.erase(waiter.place);
  }
  return std::exchange(load.waiting, {});
}

// Those who joined a load on its way and cannot do with how it ended go on to wait for another one. Returns the one
// that was begun for them, if there was none to join.
//
// If it came to nothing as its time was up, they have waited for a part of it only. They go on until there was one that
// began after they came, so that every wait ends also if the source fails for ever. If the source grants nothing, it is
// as if there were no cache, and what was read before they came is not for them. What they go on to wait for begins
// later than they came, so this ends too.
CachingFactsReader::Load* CachingFactsReader::MoveOn(Loads& loads, Load& ended, bool grants_nothing,
                                                     const Reading& now) {
  Load* begun = nullptr;
  for (auto next = ended.waiting.begin(); next != ended.waiting.end();) {
    const auto waiter = next++;
    const bool goes_on = grants_nothing ? Age(ended.began_at, waiter->arrived) > absl::ZeroDuration()
                                        : waiter->joined && waiter->deadline > now.boot_nanos;
    if (!goes_on) continue;
    const absl::Duration staleness = grants_nothing ? absl::ZeroDuration() : waiter->staleness;
    // One that begins now is fresh enough for all of them.
    if (begun == nullptr && (loads.empty() || !MayJoin(*loads.back(), waiter->arrived, staleness))) {
      begun = &NewLoad(loads, ended.digest, now);
    }
    // It may be older than the one that has ended, which somebody had asked for the newest: then it is only joined.
    waiter->joined = loads.back()->began_at.boot_nanos < waiter->arrived.boot_nanos;
    waiter->load = loads.back();
    loads.back()->waiting.splice(loads.back()->waiting.end(), ended.waiting, waiter);
  }
  return begun;
}

void CachingFactsReader::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  table_.Prefetch(digest);  // It comes while the clocks are read.
  const Reading now = clock_.Read();
  const absl::Duration staleness = std::min(options.max_staleness.value_or(options_.ttl), options_.ttl);
  const bool may_reuse = staleness > absl::ZeroDuration();
  if (may_reuse && AnswerFromTable(digest, now, staleness, receiver)) return;

  const absl::Duration patience = std::min(options.timeout.value_or(options_.load_timeout), options_.load_timeout);
  if (alarm_ != nullptr && patience <= absl::ZeroDuration()) return receiver.Receive(too_late_);
  Waiter waiter{.receiver = &receiver, .arrived = now, .staleness = staleness, .deadline = EndOf(patience, now)};
  Load* begun = nullptr;
  bool filled_meanwhile = false;
  {
    LoadShard& shard = LoadShardOf(digest);
    const absl::MutexLock lock(&shard.mutex);
    Loads& loads = shard.loads[digest.bytes];
    if (may_reuse && !loads.empty() && MayJoin(*loads.back(), now, staleness)) {
      waiter.joined = true;
    } else if (may_reuse && loads.empty()) {
      // A load may have ended between the look at the table and the lock: its entry is there then.
      const ReadSection section;
      filled_meanwhile = FindUsable(digest, now, staleness) != nullptr;
    }
    if (filled_meanwhile) {
      shard.loads.erase(digest.bytes);
    } else {
      if (!waiter.joined) begun = &NewLoad(loads, digest, now);
      AddWaiter(shard, *loads.back(), waiter);
    }
  }
  // The entry may end before it is looked at again; then this goes round once more and finds a load to join or begins
  // one.
  if (filled_meanwhile) return Find(digest, options, receiver);
  if (HasDeadline(waiter)) alarm_->SetNoLaterThan(waiter.deadline);
  if (begun != nullptr) AskSource(*begun, now);
}

// The load may be gone when this returns.
void CachingFactsReader::AskSource(Load& load, const Reading& now) {
  load.admitted = limiter_.Begin(now.now);
  if (!load.admitted) {
    return load.Receive(MakeError(absl::StatusCode::kResourceExhausted, "too many tokens are being looked up",
                                  {.reason = "RATE_LIMITED", .retry_delay = absl::Milliseconds(100)}));
  }
  FindOptions options{.max_staleness = absl::ZeroDuration()};
  if (options_.load_timeout < absl::InfiniteDuration()) options.timeout = options_.load_timeout;
  const TokenDigest digest = load.digest;
  source_.Find(digest, options, load);
}

bool CachingFactsReader::Finish(Load& load, const absl::StatusOr<FactsAnswer>& answer) {
  // Never longer than what it rests on: below may be another cache, whose TTLs are smaller.
  absl::Duration good_for = options_.ttl;
  if (answer.ok()) good_for = std::min(good_for, answer->fresh_for);
  if (answer.ok() && answer->facts == nullptr) good_for = std::min(good_for, options_.negative_ttl);
  const bool grants_nothing = answer.ok() && answer->facts != nullptr && good_for <= absl::ZeroDuration();
  const Reading now = answer.ok() && !grants_nothing ? Reading() : clock_.Read();
  // The source gives up a little early, when it has no time for another attempt.
  const bool time_was_up =
      alarm_ != nullptr && absl::IsUnavailable(answer.status()) && 2 * load.LeftAt(now) < options_.load_timeout;
  FindOptions again{.max_staleness = absl::ZeroDuration()};
  bool repeats = false;
  Waiters told;
  Load* begun = nullptr;
  {
    LoadShard& shard = LoadShardOf(load.digest);
    const absl::MutexLock lock(&shard.mutex);
    const auto found = shard.loads.find(load.digest.bytes);
    Loads& loads = found->second;
    const bool overtaken = answer.ok() && !KeepUnlessOvertaken(load, good_for, answer->facts);
    loads.erase(std::find(loads.begin(), loads.end(), &load));
    repeats = overtaken && !load.repeated && !load.waiting.empty();
    if (repeats) {
      load.repeated = true;
      load.overtaken = load.dropped = false;
      load.began_at = clock_.Read();
      TakePosition(load, /*first=*/false);
      loads.push_back(&load);  // The youngest now.
      if (options_.load_timeout < absl::InfiniteDuration()) {
        again.timeout = std::max(load.LeftAt(load.began_at), absl::ZeroDuration());
      }
    } else {
      if (time_was_up || grants_nothing) begun = MoveOn(loads, load, grants_nothing, now);
      told = TakeWaiters(shard, load);
      if (loads.empty()) shard.loads.erase(found);
      if (push_ != nullptr) {
        const absl::MutexLock push_lock(&push_->mutex);
        push_->log.EndLoad();
      }
    }
  }
  if (repeats) {
    const TokenDigest digest = load.digest;
    source_.Find(digest, again, load);
    return false;
  }
  if (load.admitted) limiter_.End();
  if (begun != nullptr) AskSource(*begun, now);
  for (const Waiter& waiter : told) Tell(load, answer, good_for, waiter);
  return true;
}

void CachingFactsReader::DismissLate() {
  const int64_t now = clock_.Read().boot_nanos;
  int64_t next = kNever;
  Waiters late;
  for (LoadShard& shard : load_shards_) {
    const absl::MutexLock lock(&shard.mutex);
    while (!shard.deadlines.empty() && shard.deadlines.begin()->first <= now) {
      const Waiters::iterator waiter = shard.deadlines.begin()->second;
      shard.deadlines.erase(shard.deadlines.begin());
      late.splice(late.end(), waiter->load->waiting, waiter);
    }
    if (!shard.deadlines.empty()) next = std::min(next, shard.deadlines.begin()->first);
  }
  // Who comes meanwhile sets the alarm itself.
  if (next != kNever) alarm_->SetNoLaterThan(next);
  for (const Waiter& waiter : late) waiter.receiver->Receive(too_late_);
}

void CachingFactsReader::Tell(const Load& load, const absl::StatusOr<FactsAnswer>& answer, absl::Duration good_for,
                              const Waiter& waiter) const {
  FactsReceiver& receiver = *waiter.receiver;
  if (!answer.ok()) return receiver.Receive(answer.status());
  const Reading now = clock_.Read();
  const absl::Duration age = Age(load.began_at, now);
  // What has expired on its way is inactive, in the same form as everything else that is.
  const bool expired = answer->facts != nullptr && now.now >= answer->facts->expire_time;
  // An answer that took longer than an entry would have lived is worth no more than that entry. (Where there are none,
  // with a TTL of zero here or in the source, there is nothing to compare with: every answer took longer. That is what
  // a fresh_for of zero says to a layer above, which always asks with a staleness of zero. So it is not told that the
  // end has come just now: it would take that for an answer without an end, however long it was on its way.)
  const bool is_at_its_end = good_for > absl::ZeroDuration() && age >= good_for;
  const bool ended_on_its_way = (options_.ttl > absl::ZeroDuration() && age > options_.ttl) ||
                                (answer->facts != nullptr && !expired && is_at_its_end &&
                                 (age > good_for || waiter.staleness <= absl::ZeroDuration()));
  if (ended_on_its_way) {
    return receiver.Receive(MakeError(absl::StatusCode::kUnavailable, "the answer of the store came too late",
                                      {.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)}));
  }
  if (expired) {
    const absl::Duration inactive_good_for = std::min(options_.ttl, options_.negative_ttl);
    return receiver.Receive(MakeAnswer(nullptr, FactsSource::kStore, now, load.began_at, inactive_good_for));
  }
  receiver.Receive(MakeAnswer(answer->facts, FactsSource::kStore, now, load.began_at, good_for));
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

void CachingFactsReader::Drop(const TokenUid& token) {
  if (push_ == nullptr) return DropAll();
  const absl::MutexLock lock(&push_->mutex);
  push_->log.NoteToken(token);
  for (const TokenDigest& digest : push_->index.DigestsOf(token)) table_.Erase(digest);
}

void CachingFactsReader::DropOwner(absl::string_view owner_id) {
  if (push_ == nullptr) return DropAll();
  const absl::MutexLock lock(&push_->mutex);
  push_->log.NoteOwner(owner_id);
  for (const TokenDigest& digest : push_->index.DigestsOf(owner_id)) table_.Erase(digest);
}

// A load is kept under the mutex of its shard, before that is visited here (then Clear() finds its entry) or after
// (then it knows).
void CachingFactsReader::DropAll() {
  for (LoadShard& shard : load_shards_) {
    const absl::MutexLock lock(&shard.mutex);
    for (const auto& [digest, loads] : shard.loads) {
      for (Load* const load : loads) load->dropped = true;
    }
  }
  table_.Clear();
}

}  // namespace pat
