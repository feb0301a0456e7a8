#include "server/core/change_retention.h"

#include <algorithm>

#include "server/core/cache_bound.h"

namespace pat {
namespace {

constexpr size_t kChangesAtATime = 1000;
const absl::Duration kLeastAge = absl::Hours(1);

// A row of the audit log may be written so much later than its time says, if several refusals were put together.
const absl::Duration kAuditDelay = absl::Minutes(10);

// The mutation until which all changes are older than `age`, by the audit log, which has both the time and the number
// of a mutation; 0: it does not say.
absl::StatusOr<uint64_t> AuditedOlderThan(const TokenStore& store, absl::Duration age, absl::Time now) {
  const absl::StatusOr<AuditPage> page =
      store.ListAudit({.end = now - age - kAuditDelay, .newest_first = true, .limit = 1});
  if (!page.ok()) return page.status();
  return page->rows.empty() ? 0 : page->rows.front().sequence;
}

}  // namespace

void ChangeRetention::Note(absl::Time now, uint64_t sequence) {
  // As long as nothing happens, one note does: that of the time when it was first so.
  if (!samples_.empty() && samples_.back().sequence >= sequence) return;
  samples_.push_back({now, sequence});
}

uint64_t ChangeRetention::OlderThan(absl::Duration age, absl::Time now) {
  while (samples_.size() > 1 && now - samples_[1].time > age) samples_.pop_front();
  return !samples_.empty() && now - samples_.front().time > age ? samples_.front().sequence : 0;
}

absl::StatusOr<size_t> RemoveOldChanges(TokenStore& store, ChangeRetention& retention, absl::Time now,
                                        absl::FunctionRef<bool()> stop) {
  const absl::StatusOr<CacheBoundRecord> bound = store.GetCacheBound();
  if (!bound.ok()) return bound.status();
  // Of now and before: whoever was at a position that is removed today may have been granted the older TTL.
  const absl::Duration age = std::max(LargestLivingTtl(*bound, now), kLeastAge);
  retention.Note(now, store.DurableSequence());
  uint64_t through = retention.OlderThan(age, now);
  if (through == 0) {
    const absl::StatusOr<uint64_t> audited = AuditedOlderThan(store, age, now);
    if (!audited.ok()) return audited.status();
    // No further than what no crash takes back.
    through = std::min(*audited, store.DurableSequence());
  }
  size_t total = 0;
  size_t removed = 0;
  if (through == 0) return total;
  do {
    if (stop()) return total;
    // Not worth a sync: what a crash takes back is removed the next time.
    const absl::Status done = store.CommitWithoutSync([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      const absl::StatusOr<size_t> count = transaction.DeleteChangesThrough(through, kChangesAtATime);
      if (!count.ok()) return count.status();
      removed = *count;
      return removed == 0 ? Decision::kDiscard : Decision::kCommit;
    });
    if (!done.ok()) return done;
    total += removed;
  } while (removed == kChangesAtATime);
  return total;
}

}  // namespace pat
