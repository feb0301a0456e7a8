// StoreFacts: the FactsReader at the bottom of an authority. Makes facts from one snapshot of token, owner and policy.
#ifndef PAT_SERVER_CORE_STORE_FACTS_H_
#define PAT_SERVER_CORE_STORE_FACTS_H_

#include <memory>
#include <optional>

#include "server/core/clock.h"
#include "server/core/executor.h"
#include "server/core/facts_reader.h"
#include "server/core/peppers.h"
#include "server/core/scope_catalog.h"
#include "store/token_store.h"

namespace pat {

// The one place where it is decided whether a token is active: tokens are not disabled for everybody, and it is not
// revoked, in the current epochs, not expired at `now`, and its owner a local user who is not disabled. nullopt:
// inactive. What the token may do is what it was given and its owner was granted, with all that these cover, without
// the scopes that the policy forbids: of those only the very names, not what they cover.
std::optional<TokenFacts> JudgeSnapshot(const TokenSnapshot& snapshot, const ScopeCatalog& catalog, absl::Time now);

// Reads the store at each call. `fresh_until` is the token's expiry (inactive: read_time); how long an answer may be
// reused beyond that is the business of the cache above.
//
// Tries memory on the caller's thread and hands a read that would wait for the disk to the executor. An error of the
// store becomes UNAVAILABLE, reason STORE_UNAVAILABLE; its text goes no further than the log.
//
// Threads: Find() is thread-safe. All that is given must outlive this object and every answer that is still due.
class StoreFacts final : public FactsReader {
 public:
  StoreFacts(const TokenReader& store, const Peppers& peppers, const ScopeCatalog& catalog, const Clock& clock,
             Executor& executor);

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

 private:
  void Answer(const absl::StatusOr<FindOutcome>& outcome, absl::Time read_time, FactsReceiver& receiver) const;

  const TokenReader& store_;
  const Peppers& peppers_;
  const ScopeCatalog& catalog_;
  const Clock& clock_;
  Executor& executor_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_STORE_FACTS_H_
