// EntryTable: a bounded hash table of cache entries, read without locks.
//
// Entries are immutable. An entry is of one of two partitions, each with a capacity of its own: facts of active tokens,
// and the knowledge that a digest is inactive. A flood of made-up tokens fills the second one and cannot push out the
// first. A digest has at most one entry, whatever its partition.
//
// The table knows nothing about time but this: an entry is only replaced by one that was loaded later. Whether an entry
// may be used is judged by the reader, each time.
//
// When a partition is full, an entry that was not looked at since the hand passed last makes room (CLOCK).
//
// Threads: everything is thread-safe. Find() needs a ReadSection and takes no lock; the others lock one shard.
#ifndef PAT_SERVER_CACHE_ENTRY_TABLE_H_
#define PAT_SERVER_CACHE_ENTRY_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/cache/entry_index.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "server/core/token_secret.h"

namespace pat {

// What a lookup sees. Immutable but for the mark that the eviction uses.
class CacheEntry {
 public:
  const TokenDigest& digest() const { return digest_; }

  // Both clocks, read before the source was asked.
  const Reading& loaded_at() const { return loaded_at_; }

  // The entry may be used while its Age() is at most this.
  absl::Duration good_for() const { return good_for_; }

  // Null: inactive.
  const TokenFacts* facts() const { return facts_; }

 private:
  friend class EntryTable;
  struct Active;

  CacheEntry(const TokenDigest& digest, const Reading& loaded_at, absl::Duration good_for, const TokenFacts* facts)
      : digest_(digest), loaded_at_(loaded_at), good_for_(good_for), facts_(facts) {}

  // Constant after construction.
  TokenDigest digest_;
  Reading loaded_at_;
  absl::Duration good_for_;
  const TokenFacts* facts_;

  // Written under the mutex of the shard, read without.
  std::atomic<CacheEntry*> next_{nullptr};

  // Protected by the mutex of the shard.
  uint32_t place_ = 0;

  // Set by lookups. Read before it is written, so that a hot entry is not written at every hit.
  mutable std::atomic<bool> looked_at_{false};
};

class EntryTable {
 public:
  // At least one entry of each kind is kept, whatever is asked for. `index`, if there is one, is told of each active
  // entry that comes and goes, and must outlive the table.
  EntryTable(size_t active_capacity, size_t inactive_capacity, EntryIndex* index = nullptr);
  ~EntryTable();

  EntryTable(const EntryTable&) = delete;
  EntryTable& operator=(const EntryTable&) = delete;

  // Begins to bring from memory what Find() looks at first, and does not wait for it.
  void Prefetch(const TokenDigest& digest) const;

  // Null if there is none. The caller holds a ReadSection for as long as it looks at the entry.
  const CacheEntry* Find(const TokenDigest& digest) const;

  // Keeps an entry; `facts` is copied, null for inactive. Dropped if the table has one of the digest that was loaded at
  // the same time or later.
  void Put(const TokenDigest& digest, const Reading& loaded_at, absl::Duration good_for, const TokenFacts* facts);

  // Removes the entry of this digest if it is an inactive one.
  void EraseInactive(const TokenDigest& digest);

  // Removes the entry of this digest, whatever it is.
  void Erase(const TokenDigest& digest);

  // Removes all entries that were there when it was called.
  void Clear();

  // Frees the memory of entries that have ended by `now`. Never decides whether an entry is valid.
  void Sweep(const Reading& now);

  // For tests and metrics; a moment's truth.
  size_t active_size() const;
  size_t inactive_size() const;

 private:
  struct Partition;
  struct Shard;

  uint64_t HashOf(const TokenDigest& digest) const;
  Shard& ShardOf(uint64_t hash) const;

  // Constant after construction. The seed keeps the choice of buckets from people who choose tokens.
  const uint64_t seed_;
  EntryIndex* const index_;
  uint32_t shard_bits_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace pat

#endif  // PAT_SERVER_CACHE_ENTRY_TABLE_H_
