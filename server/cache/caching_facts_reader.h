// CachingFactsReader: *the hour*. A FactsReader that remembers what another one answered, for a fixed time.
//
// The bound, in one line: a token revoked at r is in no answer computed later than r + TTL. It holds because
//   - both clocks are read before the source is asked, and an entry is used while its age since then, on the boot clock
//     and on the wall clock, is at most the TTL, and never after;
//   - a hit never extends an entry; there is no refresh ahead of time and no answer from an entry that has ended, also
//     not when the source is down: then the answer is the source's error;
//   - an entry is replaced only by one that was loaded later;
//   - what the source calls shorter-lived (FactsAnswer::fresh_for) ends earlier, counted from before it was asked. So
//     layers of caches do not add up, and no two machines' clocks are ever compared.
// An entry also ends at the token's expiry. That a token is inactive is remembered for min(TTL, negative TTL), in a
// partition of its own of a tenth of the capacity.
//
// Of several calls for one digest that find nothing, one asks the source and all get its answer (single flight); a call
// with staleness s joins a load only if that began at or after the call's arrival - s, so one with 0 joins none. A
// failed load is everybody's error and is not remembered.
//
// An answer that took longer than an entry of it would have lived is no answer: UNAVAILABLE. To who asks with a
// staleness of zero, as a layer above does, also one that took just as long. So there a fresh_for of zero says one
// thing only: it is good for this answer and for nothing else, as the TTL is zero here or in the source. Then those who
// joined the load on its way do not get what was read before they came: they get one more load, one for all of them.
//
// With an Alarm nobody waits for longer than FindOptions::timeout says: whose time is up is told so, and the load goes
// on without it. A load takes the time that the source needs (CacheOptions::load_timeout), however long those who wait
// can wait. So there is one for each digest at a time, however many callers come and go while the source is away. If a
// load comes to nothing because that time was up, those who joined it on its way and can still wait get one more load,
// one for all of them. See docs/adr/0017-loads-outlive-their-callers.md.
//
// Drop(), DropOwner() and DropAll() forget what was loaded until now. A load that is under way meanwhile is overtaken:
// it is neither remembered nor joined, and repeated once before its callers are answered (if there are any left); if it
// is overtaken again, they get the second answer, which is still of a read after they came.
//
// With a TTL of zero this passes every call on to the source and remembers nothing.
//
// Threads: everything is thread-safe. A hit takes no lock and knows nothing of alarms. Receivers are called without a
// lock held, and may call Find().
#ifndef PAT_SERVER_CACHE_CACHING_FACTS_READER_H_
#define PAT_SERVER_CACHE_CACHING_FACTS_READER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/cache/drop_log.h"
#include "server/cache/entry_index.h"
#include "server/cache/entry_table.h"
#include "server/cache/load_limiter.h"
#include "server/cache/revocation_sink.h"
#include "server/core/alarm.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "store/uid.h"

namespace pat {

// UNAVAILABLE, STORE_UNAVAILABLE.
absl::Status StoreIsLate();

struct CacheOptions {
  // For how long facts may be used. The reference product's hour.
  absl::Duration ttl = absl::Hours(1);

  // For how long it is remembered that a token is inactive; not longer than the TTL.
  absl::Duration negative_ttl = absl::Seconds(10);

  // Entries of both kinds together; at most a tenth of them inactive ones.
  size_t capacity = 1'000'000;

  // Loads of the source: at a time, and a second. Beyond, callers get RESOURCE_EXHAUSTED with a delay.
  int64_t max_loads_in_flight = 4096;
  int64_t max_loads_per_second = 200'000;

  // How long the source is given for a load, and the longest that anybody waits.
  absl::Duration load_timeout = absl::InfiniteDuration();

  // What a caller is told whose time is up. By default that the store is late.
  absl::Status too_late = StoreIsLate();

  // Whether the cache will be told of revocations. Then it keeps an index of its entries by token and by owner, which
  // takes some 150 bytes more for each.
  bool push = false;
};

class CachingFactsReader final : public FactsReader, public RevocationSink {
 public:
  // What is given must outlive this object, and this object every answer that its source still owes it, also when
  // nobody waits for that any more. `alarm` has to call DismissLate() when it goes off; null: everybody waits for the
  // source, which must not be one that can take long.
  CachingFactsReader(FactsReader& source, const Clock& clock, const CacheOptions& options, Alarm* alarm = nullptr);

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

  // A token with this digest has just come into being: forget that it was unknown, also from loads under way. Call it
  // before the creation is acknowledged; then the new token works here at once.
  void ForgetInactive(const TokenDigest& digest);

  // Without CacheOptions::push each of them is DropAll(). From their return on no hit rests on what was loaded before.
  void Drop(const TokenUid& token) override;
  void DropOwner(absl::string_view owner_id) override;
  void DropAll() override;

  // Tells those whose time is up, and sets the alarm for those who still wait.
  void DismissLate();

  // Frees the memory of entries that have ended. To be called now and then; how often is not a question of validity.
  void Sweep() { table_.Sweep(clock_.Read()); }

  const EntryTable& table() const { return table_; }

 private:
  class Load;
  struct Waiter;
  using Waiters = std::list<Waiter>;
  using Loads = absl::InlinedVector<Load*, 1>;
  struct LoadShard {
    absl::Mutex mutex;
    absl::flat_hash_map<std::array<uint8_t, 32>, Loads> loads ABSL_GUARDED_BY(mutex);

    // Who waits for one of them and has a deadline, by that.
    std::multimap<int64_t, Waiters::iterator> deadlines ABSL_GUARDED_BY(mutex);
  };

  // What push mode adds. Its mutex makes "judge whether a load was overtaken, and keep it" and "note the drop, and
  // erase" one step each. It is taken after the mutex of a LoadShard and before those of the table.
  struct Push {
    EntryIndex index;
    absl::Mutex mutex;
    DropLog log ABSL_GUARDED_BY(mutex);
  };

  const CacheEntry* FindUsable(const TokenDigest& digest, const Reading& now, absl::Duration staleness) const;
  bool AnswerFromTable(const TokenDigest& digest, const Reading& now, absl::Duration staleness,
                       FactsReceiver& receiver);
  bool MayJoin(const Load& load, const Reading& arrived, absl::Duration staleness);
  Load& NewLoad(Loads& loads, const TokenDigest& digest, const Reading& now);
  void AskSource(Load& load, const Reading& now);
  bool HasDeadline(const Waiter& waiter) const;
  void AddWaiter(LoadShard& shard, Load& load, const Waiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  Waiters TakeWaiters(LoadShard& shard, Load& load) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  Load* MoveOn(Loads& loads, Load& ended, bool grants_nothing, const Reading& now);
  void TakePosition(Load& load, bool first);
  bool KeepUnlessOvertaken(const Load& load, absl::Duration good_for, const TokenFacts* facts);

  // False: the load was begun again, and will end another time.
  bool Finish(Load& load, const absl::StatusOr<FactsAnswer>& answer);
  void Tell(const Load& load, const absl::StatusOr<FactsAnswer>& answer, absl::Duration good_for,
            const Waiter& waiter) const;
  LoadShard& LoadShardOf(const TokenDigest& digest) { return load_shards_[digest.bytes[0] % kLoadShards]; }

  static constexpr size_t kLoadShards = 64;

  FactsReader& source_;
  const Clock& clock_;
  const CacheOptions options_;
  const absl::StatusOr<FactsAnswer> too_late_;
  Alarm* const alarm_;
  const std::unique_ptr<Push> push_;  // Null: not in push mode.
  EntryTable table_;
  LoadLimiter limiter_;
  std::array<LoadShard, kLoadShards> load_shards_;
};

}  // namespace pat

#endif  // PAT_SERVER_CACHE_CACHING_FACTS_READER_H_
