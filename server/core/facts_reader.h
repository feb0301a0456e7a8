// FactsReader: who answers what is true of a token. The seam of the whole program.
//
// The store (StoreFacts), the cache (server/cache) and, in a sidecar, the authority behind the network are all
// FactsReaders; each may stand on another. Facts are never verdicts: what a call may do is judged from them at every
// call (server/core/introspection.h), so one entry of a cache serves every requirement and none can leak into another.
//
// Asynchronous without a thread that waits: Find() answers on the spot when it can (memory) and later, from another
// thread, when it must (disk, network). There is no allocation on the way of a hit: the answer is lent, not given.
#ifndef PAT_SERVER_CORE_FACTS_READER_H_
#define PAT_SERVER_CORE_FACTS_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_secret.h"
#include "store/uid.h"

namespace pat {

// What is true of an active token, as it was read.
struct TokenFacts {
  TokenUid uid;
  std::string owner_id;  // "ada"; the subject is "users/ada".
  absl::Time create_time;
  absl::Time expire_time;  // By the policy too. Judged again at every call.
  ScopeSet scopes;         // Effective: the token's, as far as the owner has them.
  std::vector<std::string> audiences;
};

enum class FactsSource : uint8_t { kStore, kCache };

// Longer than anything is kept.
inline const absl::Duration kWithoutEnd = absl::Hours(365 * 24);

// An answer. It is lent: `facts` is good until the receiver returns.
struct FactsAnswer {
  // Null: inactive, for whatever reason (unknown, revoked, expired, an owner who may not).
  const TokenFacts* facts = nullptr;
  FactsSource source = FactsSource::kStore;

  // Clock::Now() when this answer was given: the "now" of the verdict.
  absl::Time now = {};

  // Taken before the store was asked.
  absl::Time read_time = {};

  // Until when the answer may be reused: never later than read_time + TTL and the token's expiry.
  absl::Time fresh_until = {};

  // For how long the answer may be reused at most; who keeps it counts from before it asked, on both its clocks. A
  // cache says how much of its entry is left at `now`, on the clock on which that is less. Never negative;
  // kWithoutEnd for an inactive answer of the store itself. This is what binds: the instants above may be those of
  // another machine, and are for people.
  absl::Duration fresh_for = {};
};

// Who gets an answer. The object belongs to the caller of Find() and must live until Receive() was called, which
// happens exactly once: within Find(), or later on another thread.
class FactsReceiver {
 public:
  // An error means that nothing could be found out: kUnavailable (no source), kResourceExhausted (too many loads; see
  // DetailsOf). The argument is good until Receive() returns.
  virtual void Receive(const absl::StatusOr<FactsAnswer>& answer) = 0;

 protected:
  ~FactsReceiver() = default;
};

struct FindOptions {
  // How old the facts may be. Zero: ask the source now. Absent, or more than a reader's TTL: that TTL. Not negative.
  std::optional<absl::Duration> max_staleness = {};

  // How long the caller can still wait; then it is told that nothing could be found out. Absent: as long as the reader
  // tries by itself. A reader that never waits for long may take no notice.
  std::optional<absl::Duration> timeout = {};
};

class FactsReader {
 public:
  virtual ~FactsReader() = default;

  // Thread-safe. `receiver` may be called before Find() returns.
  virtual void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_FACTS_READER_H_
