#include "server/core/cache_bound.h"

#include <algorithm>

namespace pat {

absl::Duration CacheBoundAt(const CacheBoundRecord& record, absl::Time now) {
  return std::max(record.granted, std::min(record.previous, record.previous_end - now));
}

absl::Duration LargestLivingTtl(const CacheBoundRecord& record, absl::Time now) {
  // At its very end an entry is used.
  return now <= record.previous_end ? std::max(record.granted, record.previous) : record.granted;
}

absl::Time LastAcceptTime(const CacheBoundRecord& record, absl::Time now) { return now + CacheBoundAt(record, now); }

CacheBoundRecord GrantTtl(const CacheBoundRecord& record, absl::Duration ttl, absl::Time now) {
  if (ttl == record.granted) return record;
  const absl::Duration bound = CacheBoundAt(record, now);
  if (bound <= ttl) return {.granted = ttl};
  // The last entry under the old bound may be loaded just now.
  return {.granted = ttl, .previous = bound, .previous_end = std::max(now + bound, record.previous_end)};
}

absl::Status CommitCacheTtl(TokenStore& store, absl::Duration ttl, absl::Time now) {
  return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    absl::StatusOr<CacheBoundRecord> record = transaction.GetCacheBound();
    if (!record.ok()) return record.status();
    const CacheBoundRecord granted = GrantTtl(*record, ttl, now);
    if (granted == *record) return Decision::kDiscard;
    if (absl::Status status = transaction.PutCacheBound(granted); !status.ok()) return status;
    return Decision::kCommit;
  });
}

}  // namespace pat
