#include "server/core/policy_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/admin_rules.h"
#include "server/core/cache_bound.h"
#include "server/core/standing.h"

namespace pat {
namespace {

constexpr absl::string_view kUpdateMethod = "pat.v1.PolicyService/UpdatePolicy";

constexpr absl::string_view kTokensDisabled = "tokens_disabled";
constexpr absl::string_view kMaximumLifespan = "maximum_lifespan";
constexpr absl::string_view kMaximumLiveTokens = "maximum_live_tokens";
constexpr absl::string_view kForbiddenScopes = "forbidden_scopes";

constexpr absl::Duration kShortestLifespan = absl::Seconds(1);
constexpr absl::Duration kLongestLifespan = absl::Hours(24 * 36'500);
constexpr int64_t kMostLiveTokens = 10'000;
constexpr size_t kMostForbiddenScopes = 1000;

std::optional<absl::Duration> CheckLifespan(const RequestedDuration& requested, Violations& violations) {
  constexpr absl::string_view kField = "policy.maximum_lifespan";
  const std::optional<absl::Duration> lifespan = ReadDuration(requested, kField, violations);
  if (!lifespan.has_value()) return std::nullopt;
  if (*lifespan >= kShortestLifespan && *lifespan <= kLongestLifespan && requested.nanos == 0) return lifespan;
  violations.push_back(
      {std::string(kField), absl::StrCat("seconds ", requested.seconds, ", nanos ", requested.nanos,
                                         " is no lifespan; give 1s to 36500 days (",
                                         absl::ToInt64Seconds(kLongestLifespan), "s), in whole seconds")});
  return std::nullopt;
}

std::string DetailOf(const PolicyRecord& policy, const std::vector<std::string>& mask) {
  std::vector<std::string> parts;
  if (Masks(mask, kTokensDisabled)) parts.push_back(policy.tokens_disabled ? "tokens disabled" : "tokens enabled");
  if (Masks(mask, kMaximumLifespan)) {
    parts.push_back(absl::StrCat("maximum lifespan ", absl::ToInt64Seconds(policy.maximum_lifespan), "s"));
  }
  if (Masks(mask, kMaximumLiveTokens)) {
    parts.push_back(absl::StrCat("maximum live tokens ", policy.maximum_live_tokens));
  }
  if (Masks(mask, kForbiddenScopes)) {
    parts.push_back(absl::StrCat("forbidden scopes: ", ShortList(policy.forbidden_scopes)));
  }
  return absl::StrJoin(parts, "; ");
}

}  // namespace

std::string PolicyRules::EtagOf(const PolicyRecord& policy) { return absl::StrCat("\"", policy.change_sequence, "\""); }

absl::StatusOr<PolicyRecord> PolicyRules::Get(const Principal& principal) const {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  absl::StatusOr<PolicyRecord> policy = store_.GetPolicy();
  if (absl::Status status = CheckStillAdministrator(principal, store_); !status.ok()) return status;
  return policy;
}

absl::StatusOr<ChangedPolicy> PolicyRules::Update(const Principal& principal, const UpdatePolicyQuery& query) {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  Violations violations;
  const std::vector<std::string>& mask = query.update_mask;
  CheckMask(mask, {kTokensDisabled, kMaximumLifespan, kMaximumLiveTokens, kForbiddenScopes}, violations);
  std::optional<absl::Duration> lifespan;
  if (Masks(mask, kMaximumLifespan)) lifespan = CheckLifespan(query.maximum_lifespan, violations);
  if (Masks(mask, kMaximumLiveTokens) &&
      (query.maximum_live_tokens < 0 || query.maximum_live_tokens > kMostLiveTokens)) {
    violations.push_back({"policy.maximum_live_tokens",
                          absl::StrCat(query.maximum_live_tokens, " is out of range; give 0 to ", kMostLiveTokens)});
  }
  if (Masks(mask, kForbiddenScopes)) {
    CheckScopeNames(query.forbidden_scopes, catalog_, kMostForbiddenScopes, /*star=*/false, "policy.forbidden_scopes",
                    violations);
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));

  PolicyRecord policy;
  AuditRecord row = audit_.RowOf(principal, kUpdateMethod, kPolicyTarget);
  absl::StatusOr<CacheBoundRecord> bound;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    absl::Status status = CheckStillAdministrator(principal, transaction);
    if (!status.ok()) return status;
    if (bound = transaction.GetCacheBound(); !bound.ok()) return bound.status();
    absl::StatusOr<PolicyRecord> kept = transaction.GetPolicy();
    if (!kept.ok()) return kept.status();
    policy = *std::move(kept);
    if (status = CheckEtagIs(EtagOf(policy), query.etag, "the policy"); !status.ok()) return status;
    if (Masks(mask, kTokensDisabled)) policy.tokens_disabled = query.tokens_disabled;
    if (lifespan.has_value()) policy.maximum_lifespan = *lifespan;
    if (Masks(mask, kMaximumLiveTokens)) policy.maximum_live_tokens = static_cast<uint32_t>(query.maximum_live_tokens);
    if (Masks(mask, kForbiddenScopes)) {
      policy.forbidden_scopes = query.forbidden_scopes;
      std::sort(policy.forbidden_scopes.begin(), policy.forbidden_scopes.end());
    }
    if (query.validate_only) return Decision::kDiscard;
    policy.change_sequence = transaction.Sequence();
    if (status = transaction.PutPolicy(policy); !status.ok()) return status;
    row.detail = DetailOf(policy, mask);
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (!query.validate_only) audit_.Committed(row);
  return ChangedPolicy{std::move(policy), LastAcceptTime(*bound, clock_.Now())};
}

}  // namespace pat
