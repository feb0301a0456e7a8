#include "server/core/token_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/core/admin_rules.h"
#include "server/core/store_facts.h"
#include "server/core/token_lifecycle.h"
#include "store/record_rules.h"

namespace pat {
namespace {

absl::Status Refuse(absl::StatusCode code, absl::string_view reason, absl::string_view message) {
  return MakeError(code, message, {.reason = std::string(reason)});
}

absl::Status SelfRegenerateRequired() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   absl::StrCat("a token regenerates itself only if it holds the scope ", kSelfRegenerateScope),
                   {.reason = "SCOPE_REQUIRED", .metadata = {{"scope", std::string(kSelfRegenerateScope)}}});
}

}  // namespace

absl::Status NotYourUser() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "this takes the user itself; an administrator may only look at and revoke the tokens of others",
                   {.reason = "ROLE_REQUIRED", .metadata = {{"role", "user,portal"}}});
}

absl::Status AdministratorForOthers() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the tokens of other users, and of everybody (users/-), take an administrator",
                   {.reason = "ROLE_REQUIRED", .metadata = {{"role", "administrator"}}});
}

absl::Status TokenNotFound() {
  return Refuse(absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND", "there is no such token among those you may see");
}

absl::Status UserNotFound(absl::string_view user_id) {
  return Refuse(absl::StatusCode::kNotFound, "USER_NOT_FOUND", absl::StrCat("there is no user ", Quoted(user_id)));
}

absl::StatusOr<std::optional<TokenUid>> AuthoriseToken(const Principal& principal, const std::string& name,
                                                       TokenAction action, Violations& violations,
                                                       absl::string_view field) {
  const std::optional<TokenNameParts> parts = ParseTokenName(name);
  if (!parts.has_value()) {
    violations.push_back({std::string(field),
                          absl::StrCat(Quoted(name), " is not the name of a token; give users/{user}/tokens/{token}")});
    return std::optional<TokenUid>();
  }
  if (principal.kind == PrincipalKind::kToken) {
    if (parts->user_id != principal.user_id || parts->uid != principal.token) return TokenNotFound();
    if (action == TokenAction::kChange) return NotYourUser();
    if (action == TokenAction::kRegenerate && !principal.may_regenerate_itself) return SelfRegenerateRequired();
    return parts->uid;
  }
  const bool own = principal.ActsAs(parts->user_id);
  if (!own && !principal.IsAdministrator()) return TokenNotFound();
  if (!own && action != TokenAction::kLook && action != TokenAction::kRevoke) return NotYourUser();
  return parts->uid;
}

absl::Status CheckStillAuthorised(const Principal& principal, const std::string& name, TokenAction action) {
  Violations none;
  return AuthoriseToken(principal, name, action, none).status();
}

absl::Status CheckMayList(const absl::StatusOr<Principal>& principal, absl::string_view user_id) {
  if (!principal.ok()) return principal.status();
  return principal->ActsAs(user_id) || principal->IsAdministrator() ? absl::OkStatus() : AdministratorForOthers();
}

absl::StatusOr<TokenRecord> LoadToken(TokenTransaction& transaction, const std::optional<TokenUid>& uid,
                                      absl::string_view name) {
  if (!uid.has_value()) return TokenNotFound();
  absl::StatusOr<std::optional<TokenRecord>> token = transaction.GetToken(*uid);
  if (!token.ok()) return token.status();
  if (!token->has_value() || TokenName((*token)->owner_id, *uid) != name) return TokenNotFound();
  return **std::move(token);
}

absl::Status CheckOwner(const Principal& principal, const TokenRecord& token,
                        const absl::StatusOr<std::optional<UserRecord>>& user_of_that_id) {
  if (principal.IsAdministrator()) return absl::OkStatus();
  if (!user_of_that_id.ok()) return user_of_that_id.status();
  if (!user_of_that_id->has_value() || (*user_of_that_id)->uid != token.owner) return TokenNotFound();
  return absl::OkStatus();
}

absl::StatusOr<UserRecord> LoadOwner(TokenTransaction& transaction, const TokenRecord& token) {
  absl::StatusOr<std::optional<UserRecord>> owner = transaction.GetUser(token.owner_id);
  if (!owner.ok()) return owner.status();
  if (!owner->has_value() || (*owner)->uid != token.owner) return TokenNotFound();
  return **std::move(owner);
}

absl::StatusOr<UserRecord> LoadUser(TokenTransaction& transaction, absl::string_view user_id) {
  absl::StatusOr<std::optional<UserRecord>> user = transaction.GetUser(user_id);
  if (!user.ok()) return user.status();
  if (!user->has_value()) return UserNotFound(user_id);
  return **std::move(user);
}

absl::Status CheckMayHaveSecrets(const UserRecord& user) {
  if (user.type != UserType::kLocal) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "USER_NOT_LOCAL",
                  absl::StrCat(UserName(user.id), " is not a local user; only local users can have tokens"));
  }
  if (user.disabled) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "USER_DISABLED",
                  absl::StrCat(UserName(user.id), " is disabled; an administrator can enable it"));
  }
  return absl::OkStatus();
}

absl::Status CheckTokensEnabled(const PolicyRecord& policy) {
  if (!policy.tokens_disabled) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, "TOKENS_DISABLED",
                "tokens are switched off for everybody; an administrator can switch them on");
}

void CheckForbiddenScopes(const std::vector<std::string>& scopes, const PolicyRecord& policy, Violations& violations) {
  if (scopes.size() > kMostScopes) return;
  for (size_t i = 0; i < scopes.size(); ++i) {
    if (!std::binary_search(policy.forbidden_scopes.begin(), policy.forbidden_scopes.end(), scopes[i])) continue;
    violations.push_back({absl::StrCat("scopes[", i, "]"),
                          absl::StrCat(Quoted(scopes[i]), " is kept out of tokens by the policy; leave it out")});
  }
}

absl::Status CheckStillLiving(TokenTransaction& transaction, const Principal& principal, const TokenRecord& token,
                              TokenAction action, const Peppers& peppers, const ScopeCatalog& catalog,
                              const PolicyRecord& policy, absl::Time now) {
  if (principal.kind != PrincipalKind::kToken) return absl::OkStatus();
  absl::Status not_living = Refuse(absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID",
                                   "this token is not active, or its secret was replaced");
  const Peppers::Candidates candidates = peppers.AllHmacs(principal.token_digest);
  if (std::find(candidates.begin(), candidates.end(), token.hmac) == candidates.end()) return not_living;
  const absl::StatusOr<std::optional<UserRecord>> owner = transaction.GetUser(token.owner_id);
  if (!owner.ok()) return owner.status();
  if (!owner->has_value() || (*owner)->uid != token.owner) return not_living;
  const absl::StatusOr<uint64_t> global_epoch = transaction.GlobalEpoch();
  if (!global_epoch.ok()) return global_epoch.status();
  const std::optional<TokenFacts> facts =
      JudgeSnapshot({.token = token, .owner = **owner, .global_epoch = *global_epoch, .policy = policy}, catalog, now);
  if (!facts.has_value()) return not_living;
  if (action == TokenAction::kRegenerate && !facts->scopes.Contains(kSelfRegenerateScope)) {
    return SelfRegenerateRequired();
  }
  return absl::OkStatus();
}

absl::Status CheckAlive(const TokenRecord& token, const PolicyRecord& policy, absl::Time now) {
  if (token.revoke_time.has_value()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED", "the token is revoked; create a new one");
  }
  if (now >= EffectiveExpireTime(token, policy)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "TOKEN_EXPIRED", "the token has expired; create a new one");
  }
  return absl::OkStatus();
}

absl::Status CheckEtag(const TokenRecord& token, absl::string_view etag) {
  return CheckEtagIs(TokenLifecycle::EtagOf(token), etag, "the token");
}

absl::Status CheckNameFree(TokenTransaction& transaction, const UserRecord& owner, const std::string& display_name,
                           const std::optional<TokenUid>& except, absl::Time now) {
  const absl::StatusOr<std::optional<TokenUid>> holder = transaction.FindLiveByDisplayName(owner, display_name, now);
  if (!holder.ok()) return holder.status();
  if (!holder->has_value() || *holder == except) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAlreadyExists,
                   absl::StrCat("a live token of ", UserName(owner.id), " is called ", Quoted(display_name),
                                "; choose another name, or revoke or regenerate that one"),
                   {.reason = "DISPLAY_NAME_TAKEN", .metadata = {{"token", TokenName(owner.id, **holder)}}});
}

absl::Status CheckRoomForOneMore(TokenTransaction& transaction, const UserRecord& owner, const PolicyRecord& policy,
                                 absl::Time now) {
  const absl::StatusOr<size_t> live = transaction.CountLive(owner, now, policy.maximum_live_tokens);
  if (!live.ok()) return live.status();
  if (*live < policy.maximum_live_tokens) return absl::OkStatus();
  const std::string limit = absl::StrCat("at most ", policy.maximum_live_tokens, " live tokens a user");
  return MakeError(absl::StatusCode::kResourceExhausted,
                   absl::StrCat(limit, "; revoke one of those of ", UserName(owner.id), " first"),
                   {.reason = "QUOTA_EXCEEDED", .quota_subject = UserName(owner.id), .quota_description = limit});
}

std::string RequestKey(const Principal& principal, absl::string_view method, absl::string_view target,
                       const RequestIdentity& request) {
  if (request.id.empty()) return {};
  // Of a request that is carried out none of the parts but the last holds a newline.
  const std::string uid = principal.user_uid.has_value() ? principal.user_uid->ToString() : std::string();
  return absl::StrCat(principal.ToString(), "\n", uid, "\n", method, "\n", target, "\n", request.id);
}

absl::Status CheckNotReplayed(TokenTransaction& transaction, const std::string& key, const RequestIdentity& request,
                              absl::Time now) {
  if (key.empty()) return absl::OkStatus();
  const absl::StatusOr<std::optional<RequestRecord>> known = transaction.GetRequest(key);
  if (!known.ok()) return known.status();
  if (!known->has_value() || now >= (*known)->forget_time) return absl::OkStatus();
  if ((*known)->body_hash != request.body_hash) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "this request_id was used for another request; choose a new one",
        {.reason = "REQUEST_ID_REUSED",
         .violations = {{"request_id", absl::StrCat(Quoted(request.id), " was used for another request")}}});
  }
  return MakeError(absl::StatusCode::kAlreadyExists,
                   "this request was done already; its secret cannot be shown again: regenerate the token",
                   {.reason = "REQUEST_REPLAYED", .metadata = {{"token", (*known)->token_name}}});
}

}  // namespace pat
