// For how long caches may still accept what the store no longer holds.
//
// T, kept in the store, is the largest TTL whose entries may still be alive. It is raised before a larger TTL is
// granted to a cache, and lowered when the entries of the older one have run out. So "revoked now, gone everywhere by
// now + T" holds over restarts with another --cache-ttl too.
//
// Threads: pure functions, and one transaction.
#ifndef PAT_SERVER_CORE_CACHE_BOUND_H_
#define PAT_SERVER_CORE_CACHE_BOUND_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/records.h"
#include "store/token_store.h"

namespace pat {

// T at `now`: for how long after `now` an entry may live that is loaded by then. While time goes on, now + T never goes
// back, so who revokes again is never told an earlier instant; hence T is what is left of the older entries, not their
// whole TTL.
absl::Duration CacheBoundAt(const CacheBoundRecord& record, absl::Time now);

// The largest TTL of which an entry may be alive at `now`; the older one until the last entry under it has run out.
// Other than T it is the entry's whole TTL: how far back the load of one may lie that still answers.
absl::Duration LargestLivingTtl(const CacheBoundRecord& record, absl::Time now);

// The last instant at which a cache anywhere answers from what a commit has changed that is durable by now: now + T, of
// a transaction that saw `record`. A larger T that is kept later is no matter: what is loaded under it is loaded after
// that commit.
absl::Time LastAcceptTime(const CacheBoundRecord& record, absl::Time now);

// What to keep when caches get `ttl` from `now` on.
CacheBoundRecord GrantTtl(const CacheBoundRecord& record, absl::Duration ttl, absl::Time now);

// Keeps it. Returns after it is durable; only then may a cache use `ttl`.
absl::Status CommitCacheTtl(TokenStore& store, absl::Duration ttl, absl::Time now);

}  // namespace pat

#endif  // PAT_SERVER_CORE_CACHE_BOUND_H_
