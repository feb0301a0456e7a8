#include "server/core/token_lifecycle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/core/admin_rules.h"
#include "server/core/cache_bound.h"
#include "server/core/new_uid.h"
#include "server/core/resource_name.h"
#include "server/core/standing.h"
#include "server/core/token_rules.h"
#include "server/core/token_secret.h"
#include "store/record_rules.h"

namespace pat {
namespace {

constexpr absl::string_view kCreateMethod = "pat.v1.TokenService/CreateToken";
constexpr absl::string_view kUpdateMethod = "pat.v1.TokenService/UpdateToken";
constexpr absl::string_view kRegenerateMethod = "pat.v1.TokenService/RegenerateToken";

// ReportLeaked, of one principal.
constexpr size_t kReportsInASecond = 10;

// A secret on its way to its owner, with what the store keeps of it.
struct NewSecret {
  Secret secret;
  TokenDigest digest;
  TokenHmac hmac;
};

NewSecret MintNewSecret(const Peppers& peppers) {
  NewSecret minted{.secret = MintSecret(), .digest = {}, .hmac = {}};
  minted.digest = DigestOf(minted.secret.Reveal());
  minted.hmac = peppers.Hmac(minted.digest);
  return minted;
}

absl::Status Remember(TokenTransaction& transaction, const std::string& key, const RequestIdentity& request,
                      const TokenRecord& token, const Retention& retention, absl::Time now) {
  if (key.empty()) return absl::OkStatus();
  return transaction.PutRequest(key, {.body_hash = request.body_hash,
                                      .token_name = TokenName(token.owner_id, token.uid),
                                      .forget_time = now + retention.request_ids});
}

// Whether the request has an id that can be remembered.
bool HasRequestId(const RequestIdentity& request) {
  Violations ignored;
  return !request.id.empty() && CheckRequestId(request.id, ignored);
}

std::string ListContext(const Principal& principal, const ListTokensQuery& query) {
  return absl::StrCat(principal.ToString(), "\n", query.parent, "\n", query.show_revoked);
}

}  // namespace

TokenLifecycle::TokenLifecycle(TokenStore& store, const Peppers& peppers, const ScopeCatalog& catalog,
                               const Retention& retention, AuditLog& audit, const Clock& clock,
                               NewSecretListener on_new_secret)
    : store_(store),
      peppers_(peppers),
      catalog_(catalog),
      retention_(retention),
      audit_(audit),
      clock_(clock),
      on_new_secret_(std::move(on_new_secret)),
      page_tokens_(peppers.DeriveKey("page tokens of ListTokens")),
      reports_(kReportsInASecond) {}

std::string TokenLifecycle::EtagOf(const TokenRecord& token) { return absl::StrCat("\"", token.change_sequence, "\""); }

TokenView TokenLifecycle::ViewOf(TokenRecord record, const PolicyRecord& policy, absl::Time now) {
  TokenView view{.record = std::move(record), .state = TokenState::kActive, .expire_time = {}};
  view.expire_time = EffectiveExpireTime(view.record, policy);
  if (view.record.revoke_time.has_value()) {
    view.state = TokenState::kRevoked;
  } else if (now >= view.expire_time) {
    view.state = TokenState::kExpired;
  }
  return view;
}

absl::StatusOr<TokenWithSecret> TokenLifecycle::Create(const Principal& principal, const CreateTokenQuery& query) {
  const std::optional<std::string> owner_id = ParseUserName(query.parent);
  const bool names_user = owner_id.has_value() && *owner_id != kEverybody;
  if (names_user && !principal.ActsAs(*owner_id)) return NotYourUser();
  const absl::Time now = clock_.Now();
  // In the transaction, where all mutations wait for each other, only what depends on what is kept: what is wrong under
  // any policy is found out before (names that are near to a wrong one take a while), and the record is made before.
  Violations always_wrong;
  if (!names_user) {
    always_wrong.push_back(
        {"parent", absl::StrCat(Quoted(query.parent), " is not the name of a user; give users/{user}")});
  }
  CheckDisplayName(query.display_name, "display_name", always_wrong);
  CheckDescription(query.description, "description", always_wrong);
  CheckScopes(query.scopes, catalog_, always_wrong);
  CheckAudiences(query.audiences, always_wrong);
  if (std::holds_alternative<NotRequested>(query.expiration)) {
    always_wrong.push_back({"expire_time", "is missing, and ttl too; a token needs an end, give one of them"});
  }
  TokenRecord asked;
  asked.owner_id = owner_id.value_or("");
  asked.display_name = query.display_name;
  asked.description = query.description;
  asked.scopes = query.scopes;
  asked.audiences = query.audiences;
  asked.create_time = now;
  // All that is wrong with the request under a policy.
  const auto judge = [&](const PolicyRecord& policy, std::optional<absl::Time>& expire_time) {
    Violations violations = always_wrong;
    CheckForbiddenScopes(asked.scopes, policy, violations);
    expire_time = ResolveExpiration(query.expiration, policy, now, violations);
    CheckRequestId(query.request.id, violations);
    return violations;
  };
  std::optional<absl::Time> expire_time;
  // A replay is told before anything else, because by now its expire_time may have passed; that takes a transaction.
  const bool may_be_replay = HasRequestId(query.request);
  if (!may_be_replay) {
    const absl::StatusOr<PolicyRecord> policy = store_.GetPolicy();
    if (!policy.ok()) return policy.status();
    Violations violations = judge(*policy, expire_time);
    if (!violations.empty()) return InvalidRequest(std::move(violations));
  }

  NewSecret minted = MintNewSecret(peppers_);
  AuditRecord row;
  if (!query.validate_only) {
    asked.uid = NewUid<TokenUid>();
    asked.hmac = minted.hmac;
    row = audit_.RowOf(principal, kCreateMethod, TokenName(asked.owner_id, asked.uid));
    row.detail = absl::StrCat("scopes: ", ShortList(asked.scopes));
  }
  TokenRecord token;
  absl::StatusOr<PolicyRecord> policy;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    const absl::StatusOr<Principal> caller = StandingOf(principal, transaction);
    if (!caller.ok()) return caller.status();
    const std::string request_key =
        may_be_replay ? RequestKey(*caller, "CreateToken", query.parent, query.request) : std::string();
    absl::Status status = CheckNotReplayed(transaction, request_key, query.request, now);
    if (!status.ok()) return status;
    if (policy = transaction.GetPolicy(); !policy.ok()) return policy.status();
    Violations violations = judge(*policy, expire_time);
    if (!violations.empty()) return InvalidRequest(std::move(violations));
    if (status = CheckTokensEnabled(*policy); !status.ok()) return status;
    const absl::StatusOr<UserRecord> owner = LoadUser(transaction, asked.owner_id);
    if (!owner.ok()) return owner.status();
    if (status = CheckMayHaveSecrets(*owner); !status.ok()) return status;
    if (status = CheckNameFree(transaction, *owner, asked.display_name, std::nullopt, now); !status.ok()) return status;
    if (status = CheckRoomForOneMore(transaction, *owner, *policy, now); !status.ok()) return status;
    const absl::StatusOr<uint64_t> global_epoch = transaction.GlobalEpoch();
    if (!global_epoch.ok()) return global_epoch.status();

    token = asked;
    token.owner = owner->uid;
    token.expire_time = *expire_time;
    if (query.validate_only) return Decision::kDiscard;
    token.epochs = {.global = *global_epoch, .owner = owner->token_epoch};
    token.create_sequence = transaction.Sequence();
    token.change_sequence = transaction.Sequence();
    if (status = transaction.PutToken(token); !status.ok()) return status;
    if (status = Remember(transaction, request_key, query.request, token, retention_, now); !status.ok()) return status;
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (query.validate_only) return TokenWithSecret{ViewOf(std::move(token), *policy, now), Secret(), {}};
  audit_.Committed(row);
  on_new_secret_(minted.digest);
  return TokenWithSecret{ViewOf(std::move(token), *policy, now), std::move(minted.secret), {}};
}

absl::StatusOr<TokenView> TokenLifecycle::Get(const Principal& principal, const std::string& name) const {
  Violations violations;
  const absl::StatusOr<std::optional<TokenUid>> uid = AuthoriseToken(principal, name, TokenAction::kLook, violations);
  if (!uid.ok()) return uid.status();
  if (!violations.empty()) return InvalidRequest(std::move(violations));
  if (!uid->has_value()) return TokenNotFound();
  absl::StatusOr<std::optional<TokenRecord>> token = store_.GetToken(**uid);
  const absl::StatusOr<PolicyRecord> policy = store_.GetPolicy();
  const absl::StatusOr<Principal> caller = StandingOf(principal, store_);
  if (!caller.ok()) return caller.status();
  if (absl::Status status = CheckStillAuthorised(*caller, name, TokenAction::kLook); !status.ok()) return status;
  if (!token.ok()) return token.status();
  if (!policy.ok()) return policy.status();
  if (!token->has_value() || TokenName((*token)->owner_id, **uid) != name) return TokenNotFound();
  if (absl::Status status = CheckOwner(*caller, **token, store_.GetUser((*token)->owner_id)); !status.ok()) {
    return status;
  }
  return ViewOf(**std::move(token), *policy, clock_.Now());
}

absl::StatusOr<TokenViewPage> TokenLifecycle::List(const Principal& principal, const ListTokensQuery& query) const {
  Violations violations;
  const std::optional<std::string> owner_id = ParseUserName(query.parent);
  if (!owner_id.has_value()) {
    violations.push_back(
        {"parent", absl::StrCat(Quoted(query.parent), " is not the name of a user; give users/{user}")});
  } else if (absl::Status status = CheckMayList(principal, *owner_id); !status.ok()) {
    return status;
  }
  const std::optional<size_t> page_size = CheckPageSize(query.page_size, violations);
  std::optional<uint64_t> after = 0;
  if (!query.page_token.empty()) after = page_tokens_.Decode(query.page_token, ListContext(principal, query));
  if (!after.has_value()) {
    violations.push_back(
        {"page_token", "is not from an answer to this caller with this parent and show_revoked; start over"});
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));

  TokenQuery store_query{
      .owner = std::nullopt, .include_revoked = query.show_revoked, .after_sequence = *after, .limit = *page_size};
  if (*owner_id != kEverybody) {
    const absl::StatusOr<std::optional<UserRecord>> owner = store_.GetUser(*owner_id);
    if (!owner.ok()) return owner.status();
    if (!owner->has_value()) {
      if (absl::Status status = CheckMayList(StandingOf(principal, store_), *owner_id); !status.ok()) return status;
      // To an administrator a typing error would look like somebody without tokens.
      if (principal.IsAdministrator()) return UserNotFound(*owner_id);
      return TokenViewPage{};
    }
    store_query.owner = (*owner)->uid;
  }
  absl::StatusOr<TokenPage> page = store_.ListTokens(store_query);
  if (!page.ok()) return page.status();
  const absl::StatusOr<PolicyRecord> policy = store_.GetPolicy();
  if (!policy.ok()) return policy.status();
  if (absl::Status status = CheckMayList(StandingOf(principal, store_), *owner_id); !status.ok()) return status;
  TokenViewPage views;
  if (page->more) {
    views.next_page_token = page_tokens_.Encode(page->up_to, ListContext(principal, query));
  }
  const absl::Time now = clock_.Now();
  for (TokenRecord& token : page->tokens) views.tokens.push_back(ViewOf(std::move(token), *policy, now));
  return views;
}

absl::StatusOr<TokenView> TokenLifecycle::Update(const Principal& principal, const UpdateTokenQuery& query) {
  Violations violations;
  const absl::StatusOr<std::optional<TokenUid>> uid =
      AuthoriseToken(principal, query.name, TokenAction::kChange, violations, "token.name");
  if (!uid.ok()) return uid.status();
  const std::vector<std::string>& mask = query.update_mask;
  CheckMask(mask, {"display_name", "description"}, violations);
  const bool new_name = Masks(mask, "display_name");
  const bool new_description = Masks(mask, "description");
  if (new_name) CheckDisplayName(query.display_name, "token.display_name", violations);
  if (new_description) CheckDescription(query.description, "token.description", violations);
  if (!violations.empty()) return InvalidRequest(std::move(violations));

  const absl::Time now = clock_.Now();
  TokenRecord token;
  AuditRecord row = audit_.RowOf(principal, kUpdateMethod, query.name);
  row.detail = absl::StrCat("changed: ", new_name ? "display_name" : "", new_name && new_description ? ", " : "",
                            new_description ? "description" : "");
  absl::StatusOr<PolicyRecord> policy;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (policy = transaction.GetPolicy(); !policy.ok()) return policy.status();
    if (const absl::StatusOr<Principal> caller = StandingOf(principal, transaction); !caller.ok()) {
      return caller.status();
    }
    absl::StatusOr<TokenRecord> kept = LoadToken(transaction, *uid, query.name);
    if (!kept.ok()) return kept.status();
    const absl::StatusOr<UserRecord> owner = LoadOwner(transaction, *kept);
    if (!owner.ok()) return owner.status();
    absl::Status status = CheckAlive(*kept, *policy, now);
    if (!status.ok()) return status;
    if (status = CheckEtag(*kept, query.etag); !status.ok()) return status;
    if (new_name) {
      status = CheckNameFree(transaction, *owner, query.display_name, kept->uid, now);
      if (!status.ok()) return status;
    }
    token = *std::move(kept);
    if (new_name) token.display_name = query.display_name;
    if (new_description) token.description = query.description;
    token.change_sequence = transaction.Sequence();
    if (status = transaction.PutToken(token); !status.ok()) return status;
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  audit_.Committed(row);
  return ViewOf(std::move(token), *policy, now);
}

absl::StatusOr<TokenWithSecret> TokenLifecycle::Regenerate(const Principal& principal,
                                                           const RegenerateTokenQuery& query) {
  Violations name_violations;
  const absl::StatusOr<std::optional<TokenUid>> uid =
      AuthoriseToken(principal, query.name, TokenAction::kRegenerate, name_violations);
  if (!uid.ok()) return uid.status();
  const absl::Time now = clock_.Now();
  const auto judge = [&](const PolicyRecord& policy, std::optional<absl::Time>& expire_time) {
    Violations violations = name_violations;
    if (principal.kind == PrincipalKind::kToken && !std::holds_alternative<NotRequested>(query.expiration)) {
      const bool instant = std::holds_alternative<RequestedInstant>(query.expiration);
      violations.push_back({instant ? "expire_time" : "ttl", "is given; a token cannot give itself another end"});
    } else {
      expire_time = ResolveExpiration(query.expiration, policy, now, violations);
    }
    CheckRequestId(query.request.id, violations);
    return violations;
  };
  std::optional<absl::Time> expire_time;
  const bool may_be_replay = HasRequestId(query.request);
  if (!may_be_replay) {
    const absl::StatusOr<PolicyRecord> policy = store_.GetPolicy();
    if (!policy.ok()) return policy.status();
    Violations violations = judge(*policy, expire_time);
    if (!violations.empty()) return InvalidRequest(std::move(violations));
  }

  NewSecret minted = MintNewSecret(peppers_);
  TokenRecord token;
  AuditRecord row = audit_.RowOf(principal, kRegenerateMethod, query.name);
  absl::StatusOr<PolicyRecord> policy;
  absl::StatusOr<CacheBoundRecord> bound;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (bound = transaction.GetCacheBound(); !bound.ok()) return bound.status();
    if (policy = transaction.GetPolicy(); !policy.ok()) return policy.status();
    // Who calls comes before everything else.
    const absl::StatusOr<Principal> caller = StandingOf(principal, transaction);
    if (!caller.ok()) return caller.status();
    absl::StatusOr<TokenRecord> kept = LoadToken(transaction, *uid, query.name);
    absl::Status status;
    if (kept.ok()) {
      status =
          CheckStillLiving(transaction, principal, *kept, TokenAction::kRegenerate, peppers_, catalog_, *policy, now);
      if (!status.ok()) return status;
    }
    const std::string request_key =
        may_be_replay ? RequestKey(*caller, "RegenerateToken", query.name, query.request) : std::string();
    if (status = CheckNotReplayed(transaction, request_key, query.request, now); !status.ok()) return status;
    Violations violations = judge(*policy, expire_time);
    if (!violations.empty()) return InvalidRequest(std::move(violations));
    if (!kept.ok()) return kept.status();
    if (status = CheckTokensEnabled(*policy); !status.ok()) return status;
    const absl::StatusOr<UserRecord> owner = LoadOwner(transaction, *kept);
    if (!owner.ok()) return owner.status();
    if (status = CheckMayHaveSecrets(*owner); !status.ok()) return status;
    if (status = CheckAlive(*kept, *policy, now); !status.ok()) return status;
    if (status = CheckEtag(*kept, query.etag); !status.ok()) return status;
    token = *std::move(kept);
    token.regenerate_time = now;
    if (expire_time.has_value()) token.expire_time = *expire_time;
    if (query.validate_only) return Decision::kDiscard;
    token.hmac = minted.hmac;
    token.change_sequence = transaction.Sequence();
    if (status = transaction.PutToken(token); !status.ok()) return status;
    if (status = Remember(transaction, request_key, query.request, token, retention_, now); !status.ok()) return status;
    if (expire_time.has_value()) row.detail = "with another end";
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (!query.validate_only) {
    audit_.Committed(row);
    on_new_secret_(minted.digest);
  }
  return TokenWithSecret{ViewOf(std::move(token), *policy, now),
                         query.validate_only ? Secret() : std::move(minted.secret),
                         LastAcceptTime(*bound, clock_.Now())};
}

}  // namespace pat
