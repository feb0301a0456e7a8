#include "server/core/store_facts.h"

#include <utility>

#include "server/core/error.h"
#include "store/record_rules.h"

namespace pat {

std::optional<TokenFacts> JudgeSnapshot(const TokenSnapshot& snapshot, const ScopeCatalog& catalog, absl::Time now) {
  const TokenRecord& token = snapshot.token;
  const UserRecord& owner = snapshot.owner;
  if (snapshot.policy.tokens_disabled) return std::nullopt;
  if (token.revoke_time.has_value()) return std::nullopt;
  if (token.epochs != Epochs{.global = snapshot.global_epoch, .owner = owner.token_epoch}) return std::nullopt;
  if (owner.disabled || owner.type != UserType::kLocal) return std::nullopt;
  const absl::Time expire_time = EffectiveExpireTime(token, snapshot.policy);
  if (now >= expire_time) return std::nullopt;

  TokenFacts facts;
  facts.uid = token.uid;
  facts.owner_id = token.owner_id;
  facts.create_time = token.create_time;
  facts.expire_time = expire_time;
  facts.scopes = catalog.Closure(token.scopes);
  facts.scopes.IntersectWith(catalog.Closure(owner.grants));
  for (const std::string& scope : snapshot.policy.forbidden_scopes) facts.scopes.Remove(scope);
  facts.audiences = token.audiences;
  return facts;
}

StoreFacts::StoreFacts(const TokenReader& store, const Peppers& peppers, const ScopeCatalog& catalog,
                       const Clock& clock, Executor& executor)
    : store_(store), peppers_(peppers), catalog_(catalog), clock_(clock), executor_(executor) {}

void StoreFacts::Find(const TokenDigest& digest, const FindOptions& /*options*/, FactsReceiver& receiver) {
  const absl::Time read_time = clock_.Now();
  const Peppers::Candidates candidates = peppers_.AllHmacs(digest);
  const absl::StatusOr<FindOutcome> outcome = store_.FindByHmac(candidates, Blocking::kForbidden);
  if (!outcome.ok() || !outcome->would_block) return Answer(outcome, read_time, receiver);

  const bool queued = executor_.Run([this, candidates, read_time, &receiver] {
    Answer(store_.FindByHmac(candidates, Blocking::kAllowed), read_time, receiver);
  });
  if (!queued) {
    receiver.Receive(MakeError(absl::StatusCode::kResourceExhausted, "too many reads of the store are waiting",
                               {.reason = "RATE_LIMITED", .retry_delay = absl::Milliseconds(100)}));
  }
}

void StoreFacts::Answer(const absl::StatusOr<FindOutcome>& outcome, absl::Time read_time,
                        FactsReceiver& receiver) const {
  if (!outcome.ok()) {
    return receiver.Receive(MakeError(absl::StatusCode::kUnavailable, "the token store cannot be read",
                                      {.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)}));
  }
  FactsAnswer answer;
  answer.source = FactsSource::kStore;
  answer.now = clock_.Now();
  answer.read_time = read_time;
  answer.fresh_until = read_time;
  std::optional<TokenFacts> facts;
  if (outcome->found.has_value()) facts = JudgeSnapshot(*outcome->found, catalog_, answer.now);
  if (facts.has_value()) {
    answer.facts = &*facts;
    answer.fresh_until = facts->expire_time;
    answer.fresh_for = facts->expire_time - answer.now;
  } else {
    // A token may come into being at any time, and whoever keeps the answer says how long that may go unnoticed.
    answer.fresh_for = kWithoutEnd;
  }
  receiver.Receive(answer);
}

}  // namespace pat
