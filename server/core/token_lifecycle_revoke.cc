// How tokens end before their time: revoked by name, all at once, or because somebody found the secret.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/admin_rules.h"
#include "server/core/cache_bound.h"
#include "server/core/introspection.h"
#include "server/core/resource_name.h"
#include "server/core/standing.h"
#include "server/core/token_lifecycle.h"
#include "server/core/token_rules.h"
#include "server/core/token_secret.h"

namespace pat {
namespace {

constexpr absl::string_view kRevokeMethod = "pat.v1.TokenService/RevokeToken";
constexpr absl::string_view kRevokeAllMethod = "pat.v1.TokenService/RevokeAllTokens";
constexpr absl::string_view kReportLeakedMethod = "pat.v1.TokenService/ReportLeakedToken";

}  // namespace

absl::StatusOr<RevokedToken> TokenLifecycle::Revoke(const Principal& principal, const RevokeTokenQuery& query) {
  Violations violations;
  const absl::StatusOr<std::optional<TokenUid>> uid =
      AuthoriseToken(principal, query.name, TokenAction::kRevoke, violations);
  if (!uid.ok()) return uid.status();
  if (!violations.empty()) return InvalidRequest(std::move(violations));
  const absl::Time now = clock_.Now();
  TokenRecord token;
  AuditRecord row = audit_.RowOf(principal, kRevokeMethod, query.name);
  bool changed = false;
  absl::StatusOr<PolicyRecord> policy;
  absl::StatusOr<CacheBoundRecord> bound;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    changed = false;
    if (bound = transaction.GetCacheBound(); !bound.ok()) return bound.status();
    if (policy = transaction.GetPolicy(); !policy.ok()) return policy.status();
    const absl::StatusOr<Principal> caller = StandingOf(principal, transaction);
    if (!caller.ok()) return caller.status();
    absl::Status status = CheckStillAuthorised(*caller, query.name, TokenAction::kRevoke);
    if (!status.ok()) return status;
    absl::StatusOr<TokenRecord> kept = LoadToken(transaction, *uid, query.name);
    if (!kept.ok()) return kept.status();
    token = *std::move(kept);
    status = CheckOwner(*caller, token, transaction.GetUser(token.owner_id));
    if (!status.ok()) return status;
    status = CheckStillLiving(transaction, principal, token, TokenAction::kRevoke, peppers_, catalog_, *policy, now);
    if (!status.ok()) return status;
    // Revoking what is revoked changes nothing and is no error, whatever the etag.
    if (token.revoke_time.has_value()) return Decision::kDiscard;
    if (status = CheckEtag(token, query.etag); !status.ok()) return status;
    token.revoke_time = now;
    if (query.validate_only) return Decision::kDiscard;
    token.change_sequence = transaction.Sequence();
    if (status = transaction.PutToken(token); !status.ok()) return status;
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    changed = true;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (changed) audit_.Committed(row);
  return RevokedToken{ViewOf(std::move(token), *policy, now), LastAcceptTime(*bound, clock_.Now())};
}

absl::StatusOr<RevokedTokens> TokenLifecycle::RevokeAll(const Principal& principal, const RevokeAllTokensQuery& query) {
  const std::optional<std::string> owner_id = ParseUserName(query.parent);
  if (!owner_id.has_value()) {
    return InvalidRequest({{"parent", absl::StrCat(Quoted(query.parent),
                                                   " is not the name of a user; give users/{user}, or users/- for "
                                                   "everybody")}});
  }
  if (absl::Status status = CheckMayList(principal, *owner_id); !status.ok()) return status;

  RevokedTokens revoked;
  AuditRecord row = audit_.RowOf(principal, kRevokeAllMethod, query.parent);
  absl::StatusOr<CacheBoundRecord> bound;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (absl::Status status = CheckMayList(StandingOf(principal, transaction), *owner_id); !status.ok()) return status;
    if (bound = transaction.GetCacheBound(); !bound.ok()) return bound.status();
    std::optional<UserUid> owner_uid;
    if (*owner_id != kEverybody) {
      const absl::StatusOr<UserRecord> owner = LoadUser(transaction, *owner_id);
      if (!owner.ok()) return owner.status();
      owner_uid = owner->uid;
    }
    const absl::StatusOr<uint64_t> count = transaction.RevokeAll(owner_uid, clock_.Now());
    if (!count.ok()) return count.status();
    revoked.revoked_count = *count;
    if (query.validate_only) return Decision::kDiscard;
    row.detail = TokensRevoked(*count);
    if (absl::Status status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (!query.validate_only) audit_.Committed(row);
  revoked.last_accept_time = LastAcceptTime(*bound, clock_.Now());
  return revoked;
}

absl::Status TokenLifecycle::ReportLeaked(const Principal& principal, absl::string_view secret) {
  if (principal.kind == PrincipalKind::kNobody) {
    return MakeError(absl::StatusCode::kUnauthenticated, "this takes a caller with a credential",
                     {.reason = "CREDENTIALS_MISSING"});
  }
  const absl::Duration wait = reports_.Take(principal.Caller(), clock_.Now());
  if (wait > absl::ZeroDuration()) {
    return MakeError(absl::StatusCode::kResourceExhausted, "at most 10 leaked tokens a second",
                     {.reason = "RATE_LIMITED", .retry_delay = wait});
  }
  // The value is not repeated.
  if (secret.empty()) return InvalidRequest({{"secret", "is empty; give the token that was found"}});
  if (secret.size() > kMaxTokenBytes) {
    return InvalidRequest(
        {{"secret", absl::StrCat("has ", secret.size(), " bytes; at most ", kMaxTokenBytes, " are judged")}});
  }
  // What is no secret by its form, and what nobody has, is answered like a hit.
  if (!HasSecretForm(secret)) return absl::OkStatus();
  const Peppers::Candidates candidates = peppers_.AllHmacs(DigestOf(secret));
  const absl::StatusOr<FindOutcome> outcome = store_.FindByHmac(candidates, Blocking::kAllowed);
  if (!outcome.ok()) return outcome.status();
  if (!outcome->found.has_value()) return absl::OkStatus();
  const TokenRecord& found = outcome->found->token;

  AuditRecord row = audit_.RowOf(principal, kReportLeakedMethod, TokenName(found.owner_id, found.uid));
  row.detail = "the secret was reported as leaked";
  bool changed = false;
  absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    changed = false;
    absl::StatusOr<std::optional<TokenRecord>> kept = transaction.GetToken(found.uid);
    if (!kept.ok()) return kept.status();
    // Meanwhile it may have been revoked, or regenerated: then this secret is dead already, and its successor is not
    // what was found.
    if (!kept->has_value() || (*kept)->hmac != found.hmac || (*kept)->revoke_time.has_value()) {
      return Decision::kDiscard;
    }
    TokenRecord token = **std::move(kept);
    token.revoke_time = clock_.Now();
    token.change_sequence = transaction.Sequence();
    absl::Status status = transaction.PutToken(token);
    if (!status.ok()) return status;
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    changed = true;
    return Decision::kCommit;
  });
  if (done.ok() && changed) audit_.Committed(row);
  return done;
}

}  // namespace pat
