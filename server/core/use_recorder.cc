#include "server/core/use_recorder.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace pat {
namespace {

constexpr size_t kShards = 64;
constexpr size_t kUsesInTransaction = 500;

// The filter: which token was noted last in each place, and in which minute. 40 bits of the uid beyond those that say
// the place, and 24 of the minute, which come again after 31 years.
constexpr size_t kPlaces = size_t{1} << 16;
constexpr int kMinuteBits = 24;
constexpr uint64_t kMinuteMask = (uint64_t{1} << kMinuteBits) - 1;

uint64_t MinuteOf(absl::Time time) { return static_cast<uint64_t>(absl::ToUnixSeconds(time) / 60); }

// The uid is random but for six bits in the middle of it.
struct Random {
  uint64_t first = 0;
  uint64_t last = 0;

  explicit Random(const TokenUid& uid) {
    std::memcpy(&first, uid.bytes.data(), sizeof(first));
    std::memcpy(&last, &uid.bytes[8], sizeof(last));
  }
  size_t place() const { return first % kPlaces; }
  size_t shard() const { return (first >> 16) % kShards; }
  uint64_t Mark(uint64_t minute) const { return ((last >> 16) << kMinuteBits) ^ (first & ~kMinuteMask) ^ minute; }
};

using Uses = absl::flat_hash_map<TokenUid, absl::Time>;

struct Shard {
  absl::Mutex mutex;
  Uses waiting ABSL_GUARDED_BY(mutex);
};

}  // namespace

struct UseRecorder::State {
  explicit State(size_t most) : most_waiting(most), noted(kPlaces) {}

  Shard& ShardOf(const TokenUid& uid) { return shards[Random(uid).shard()]; }

  // False: there is no room.
  bool Keep(const TokenUid& uid, absl::Time time) {
    Shard& shard = ShardOf(uid);
    const absl::MutexLock lock(&shard.mutex);
    if (const auto found = shard.waiting.find(uid); found != shard.waiting.end()) {
      found->second = std::max(found->second, time);
      return true;
    }
    if (waiting.fetch_add(1, std::memory_order_relaxed) >= most_waiting) {
      waiting.fetch_sub(1, std::memory_order_relaxed);
      dropped.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    shard.waiting.emplace(uid, time);
    return true;
  }

  const size_t most_waiting;
  std::vector<std::atomic<uint64_t>> noted;
  std::atomic<size_t> waiting = 0;
  std::atomic<uint64_t> dropped = 0;
  std::array<Shard, kShards> shards;
};

UseRecorder::UseRecorder(size_t most_waiting) : state_(std::make_unique<State>(most_waiting)) {}

UseRecorder::~UseRecorder() = default;

void UseRecorder::Note(const TokenUid& uid, absl::Time now) {
  const Random random(uid);
  const uint64_t minute = MinuteOf(now);
  const uint64_t mark = random.Mark(minute & kMinuteMask);
  std::atomic<uint64_t>& place = state_->noted[random.place()];
  if (place.load(std::memory_order_relaxed) == mark) return;
  // First kept, then marked: what is marked is kept or written.
  if (state_->Keep(uid, absl::FromUnixSeconds(static_cast<int64_t>(minute) * 60))) {
    place.store(mark, std::memory_order_relaxed);
  }
}

absl::StatusOr<size_t> UseRecorder::Flush(TokenStore& store) {
  size_t written = 0;
  for (Shard& shard : state_->shards) {
    Uses taken;
    {
      const absl::MutexLock lock(&shard.mutex);
      taken.swap(shard.waiting);
    }
    state_->waiting.fetch_sub(taken.size(), std::memory_order_relaxed);
    auto next = taken.begin();
    while (next != taken.end()) {
      auto end = next;
      size_t count = 0;
      const absl::Status done = store.CommitWithoutSync([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
        end = next;
        for (count = 0; end != taken.end() && count < kUsesInTransaction; ++end, ++count) {
          if (absl::Status status = transaction.NoteUse(end->first, end->second); !status.ok()) return status;
        }
        return Decision::kCommit;
      });
      if (!done.ok()) {
        for (; next != taken.end(); ++next) state_->Keep(next->first, next->second);
        return done;
      }
      written += count;
      next = end;
    }
  }
  return written;
}

std::vector<NotedUse> UseRecorder::Take(size_t most) {
  std::vector<NotedUse> uses;
  for (Shard& shard : state_->shards) {
    const absl::MutexLock lock(&shard.mutex);
    while (!shard.waiting.empty() && uses.size() < most) {
      const auto next = shard.waiting.begin();
      uses.push_back({.uid = next->first, .time = next->second});
      shard.waiting.erase(next);
    }
  }
  state_->waiting.fetch_sub(uses.size(), std::memory_order_relaxed);
  return uses;
}

void UseRecorder::PutBack(absl::Span<const NotedUse> uses) {
  for (const NotedUse& use : uses) state_->Keep(use.uid, use.time);
}

uint64_t UseRecorder::dropped() const { return state_->dropped.load(std::memory_order_relaxed); }

}  // namespace pat
