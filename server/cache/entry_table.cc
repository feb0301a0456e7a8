#include "server/cache/entry_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "server/cache/read_section.h"
#include "server/crypto/random.h"

namespace pat {
namespace {

constexpr size_t kMaxShards = 64;
constexpr size_t kSmallestShard = 64;

// So many retired entries a shard keeps before it looks whether some can be freed.
constexpr size_t kRetiredBeforeReclaim = 16;

uint64_t RandomSeed() {
  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  FillRandom(absl::MakeSpan(bytes));
  return std::bit_cast<uint64_t>(bytes);
}

}  // namespace

// An entry with its facts in the same piece of memory.
struct CacheEntry::Active : CacheEntry {
  Active(const TokenDigest& digest, const Reading& loaded_at, absl::Duration good_for, const TokenFacts& source)
      : CacheEntry(digest, loaded_at, good_for, &kept), kept(source) {}

  TokenFacts kept;
};

// The entries of one kind, in places that a hand goes round.
struct EntryTable::Partition {
  size_t capacity = 1;
  std::vector<CacheEntry*> places;
  std::vector<uint32_t> free_places;
  size_t hand = 0;

  size_t size() const { return places.size() - free_places.size(); }
};

struct EntryTable::Shard {
  Shard(size_t active_capacity, size_t inactive_capacity, EntryIndex* entry_index)
      : buckets(std::bit_ceil(active_capacity + inactive_capacity)), index(entry_index) {
    active.capacity = active_capacity;
    inactive.capacity = inactive_capacity;
  }

  static void Free(CacheEntry* entry) {
    if (entry->facts_ != nullptr) {
      delete static_cast<CacheEntry::Active*>(entry);
    } else {
      delete entry;
    }
  }

  // Begins to bring the whole entry from memory: its facts are wanted right after it. Null is allowed.
  static void Prefetch(const CacheEntry* entry) {
    constexpr size_t kCacheLine = 64;
    if (entry == nullptr) return;
    const char* const begin = reinterpret_cast<const char*>(entry);
    for (size_t offset = 0; offset < sizeof(CacheEntry::Active); offset += kCacheLine) {
      __builtin_prefetch(begin + offset);
    }
  }

  std::atomic<CacheEntry*>& BucketOf(uint64_t hash) { return buckets[hash & (buckets.size() - 1)]; }

  Partition& PartitionOf(const CacheEntry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return entry.facts_ != nullptr ? active : inactive;
  }

  CacheEntry* Lookup(uint64_t hash, const TokenDigest& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    CacheEntry* entry = BucketOf(hash).load(std::memory_order_relaxed);
    while (entry != nullptr && entry->digest_ != digest) entry = entry->next_.load(std::memory_order_relaxed);
    return entry;
  }

  void Link(uint64_t hash, CacheEntry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::atomic<CacheEntry*>& bucket = BucketOf(hash);
    entry->next_.store(bucket.load(std::memory_order_relaxed), std::memory_order_relaxed);
    bucket.store(entry, std::memory_order_seq_cst);
  }

  // Takes an entry out of its bucket and its place, and keeps it until nobody looks at it.
  void Remove(uint64_t hash, CacheEntry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::atomic<CacheEntry*>* link = &BucketOf(hash);
    while (link->load(std::memory_order_relaxed) != entry) link = &link->load(std::memory_order_relaxed)->next_;
    link->store(entry->next_.load(std::memory_order_relaxed), std::memory_order_seq_cst);
    Partition& partition = PartitionOf(*entry);
    partition.places[entry->place_] = nullptr;
    partition.free_places.push_back(entry->place_);
    if (index != nullptr && entry->facts_ != nullptr) index->Remove(*entry->facts_, entry->digest_);
    retired.emplace_back(RetireStamp(), entry);
    if (retired.size() >= reclaim_at) Reclaim();
  }

  void Reclaim() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const uint64_t oldest = OldestReader();
    std::erase_if(retired, [oldest](const auto& item) {
      if (item.first >= oldest) return false;
      Free(item.second);
      return true;
    });
    // Twice what is left: a reader that stays long does not make every write look at all of it again.
    reclaim_at = std::max(kRetiredBeforeReclaim, 2 * retired.size());
  }

  // The entry that makes room: the first from the hand on that was not looked at since the hand passed.
  static CacheEntry* Victim(Partition& partition) {
    while (true) {
      partition.hand = (partition.hand + 1) % partition.places.size();
      CacheEntry* const entry = partition.places[partition.hand];
      if (entry == nullptr) continue;
      if (!entry->looked_at_.exchange(false, std::memory_order_relaxed)) return entry;
    }
  }

  // Constant after construction.
  std::vector<std::atomic<CacheEntry*>> buckets;
  EntryIndex* const index;

  mutable absl::Mutex mutex;
  Partition active ABSL_GUARDED_BY(mutex);
  Partition inactive ABSL_GUARDED_BY(mutex);
  std::vector<std::pair<uint64_t, CacheEntry*>> retired ABSL_GUARDED_BY(mutex);
  size_t reclaim_at ABSL_GUARDED_BY(mutex) = kRetiredBeforeReclaim;
};

EntryTable::EntryTable(size_t active_capacity, size_t inactive_capacity, EntryIndex* index)
    : seed_(RandomSeed()), index_(index) {
  const size_t shards = std::bit_floor(std::clamp(active_capacity / kSmallestShard, size_t{1}, kMaxShards));
  shard_bits_ = static_cast<uint32_t>(std::countr_zero(shards));
  for (size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(std::max(active_capacity / shards, size_t{1}),
                                              std::max(inactive_capacity / shards, size_t{1}), index_));
  }
}

EntryTable::~EntryTable() {
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const absl::MutexLock lock(&shard->mutex);
    for (const Partition* partition : {&shard->active, &shard->inactive}) {
      for (CacheEntry* const entry : partition->places) {
        if (entry != nullptr) Shard::Free(entry);
      }
    }
    for (const auto& [stamp, entry] : shard->retired) Shard::Free(entry);
  }
}

// The finaliser of MurmurHash3 over the seeded first eight bytes of a SHA-256.
uint64_t EntryTable::HashOf(const TokenDigest& digest) const {
  uint64_t hash = 0;
  std::memcpy(&hash, digest.bytes.data(), sizeof(hash));
  hash ^= seed_;
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33;
  return hash;
}

EntryTable::Shard& EntryTable::ShardOf(uint64_t hash) const {
  return *shards_[shard_bits_ == 0 ? 0 : hash >> (64 - shard_bits_)];
}

void EntryTable::Prefetch(const TokenDigest& digest) const {
  const uint64_t hash = HashOf(digest);
  __builtin_prefetch(&ShardOf(hash).BucketOf(hash));
}

const CacheEntry* EntryTable::Find(const TokenDigest& digest) const {
  const uint64_t hash = HashOf(digest);
  const CacheEntry* entry = ShardOf(hash).BucketOf(hash).load(std::memory_order_seq_cst);
  Shard::Prefetch(entry);
  while (entry != nullptr && entry->digest_ != digest) entry = entry->next_.load(std::memory_order_seq_cst);
  if (entry != nullptr && !entry->looked_at_.load(std::memory_order_relaxed)) {
    entry->looked_at_.store(true, std::memory_order_relaxed);
  }
  return entry;
}

void EntryTable::Put(const TokenDigest& digest, const Reading& loaded_at, absl::Duration good_for,
                     const TokenFacts* facts) {
  const uint64_t hash = HashOf(digest);
  Shard& shard = ShardOf(hash);
  const absl::MutexLock lock(&shard.mutex);
  CacheEntry* const old = shard.Lookup(hash, digest);
  // The boot clock tells which was loaded later: it is never set.
  if (old != nullptr && old->loaded_at_.boot_nanos >= loaded_at.boot_nanos) return;

  CacheEntry* const entry = facts != nullptr ? new CacheEntry::Active(digest, loaded_at, good_for, *facts)
                                             : new CacheEntry(digest, loaded_at, good_for, nullptr);
  Partition& partition = shard.PartitionOf(*entry);
  const bool takes_old_place = old != nullptr && &shard.PartitionOf(*old) == &partition;
  if (!takes_old_place && partition.size() == partition.capacity) {
    CacheEntry* const victim = Shard::Victim(partition);
    shard.Remove(HashOf(victim->digest_), victim);
  }
  // The new one first: a lookup meanwhile finds one of the two.
  shard.Link(hash, entry);
  if (old != nullptr) shard.Remove(hash, old);
  if (index_ != nullptr && facts != nullptr) index_->Add(*facts, digest);
  if (partition.free_places.empty()) {
    entry->place_ = static_cast<uint32_t>(partition.places.size());
    partition.places.push_back(entry);
  } else {
    entry->place_ = partition.free_places.back();
    partition.free_places.pop_back();
    partition.places[entry->place_] = entry;
  }
}

void EntryTable::EraseInactive(const TokenDigest& digest) {
  const uint64_t hash = HashOf(digest);
  Shard& shard = ShardOf(hash);
  const absl::MutexLock lock(&shard.mutex);
  CacheEntry* const entry = shard.Lookup(hash, digest);
  if (entry != nullptr && entry->facts_ == nullptr) shard.Remove(hash, entry);
}

void EntryTable::Erase(const TokenDigest& digest) {
  const uint64_t hash = HashOf(digest);
  Shard& shard = ShardOf(hash);
  const absl::MutexLock lock(&shard.mutex);
  CacheEntry* const entry = shard.Lookup(hash, digest);
  if (entry != nullptr) shard.Remove(hash, entry);
}

void EntryTable::Clear() {
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const absl::MutexLock lock(&shard->mutex);
    for (const Partition* partition : {&shard->active, &shard->inactive}) {
      for (CacheEntry* const entry : partition->places) {
        if (entry != nullptr) shard->Remove(HashOf(entry->digest_), entry);
      }
    }
    shard->Reclaim();
  }
}

void EntryTable::Sweep(const Reading& now) {
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const absl::MutexLock lock(&shard->mutex);
    for (const Partition* partition : {&shard->active, &shard->inactive}) {
      for (size_t place = 0; place < partition->places.size(); ++place) {
        CacheEntry* const entry = partition->places[place];
        if (entry != nullptr && Age(entry->loaded_at_, now) > entry->good_for_)
          shard->Remove(HashOf(entry->digest_), entry);
      }
    }
    shard->Reclaim();
  }
}

size_t EntryTable::active_size() const {
  size_t size = 0;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const absl::MutexLock lock(&shard->mutex);
    size += shard->active.size();
  }
  return size;
}

size_t EntryTable::inactive_size() const {
  size_t size = 0;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const absl::MutexLock lock(&shard->mutex);
    size += shard->inactive.size();
  }
  return size;
}

}  // namespace pat
