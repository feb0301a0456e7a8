// The single rules that the operations of TokenLifecycle are made of. Internal to server/core.
#ifndef PAT_SERVER_CORE_TOKEN_RULES_H_
#define PAT_SERVER_CORE_TOKEN_RULES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/core/peppers.h"
#include "server/core/principal.h"
#include "server/core/resource_name.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_requests.h"
#include "store/token_store.h"

namespace pat {

// What a principal does with a token: everybody does it with their own; administrators look and revoke everywhere. A
// token looks at itself and revokes itself, and regenerates itself if it holds kSelfRegenerateScope.
enum class TokenAction : uint8_t { kLook, kRevoke, kChange, kRegenerate };

// Parses a token's name and decides whether the principal may do this with such a token at all: PERMISSION_DENIED (an
// administrator who wants to change somebody else's; a token that lacks the scope) or NOT_FOUND (somebody else's). The
// uid in the name otherwise; nullopt if no token can have that name, which is for the look-up to say, or if it is no
// name, which is a violation of `field`.
absl::StatusOr<std::optional<TokenUid>> AuthoriseToken(const Principal& principal, const std::string& name,
                                                       TokenAction action, Violations& violations,
                                                       absl::string_view field = "name");

// The same for a principal as it stands after AuthoriseToken() has let it through with this name: it may have been an
// administrator then.
absl::Status CheckStillAuthorised(const Principal& principal, const std::string& name, TokenAction action);

// PERMISSION_DENIED, the same whether that user exists or not: for what nobody may but the user, and for what
// administrators may too.
absl::Status NotYourUser();
absl::Status AdministratorForOthers();

// AdministratorForOthers() unless it may look at, and end, all tokens of this user (or of everybody, kEverybody). An
// error stays.
absl::Status CheckMayList(const absl::StatusOr<Principal>& principal, absl::string_view user_id);
absl::Status TokenNotFound();
absl::Status UserNotFound(absl::string_view user_id);

// What is kept under this uid, if that is the token of this name; TokenNotFound() otherwise. The name was authorised,
// the uid alone was not: a uid of somebody else's token under one's own name leads nowhere.
absl::StatusOr<TokenRecord> LoadToken(TokenTransaction& transaction, const std::optional<TokenUid>& uid,
                                      absl::string_view name);

// Whether the token belongs to the one whom the principal acts for: a later user of the same id inherits nothing. An
// administrator need not own it.
absl::Status CheckOwner(const Principal& principal, const TokenRecord& token,
                        const absl::StatusOr<std::optional<UserRecord>>& user_of_that_id);

// The user who owns the token. One who has the same id but is not the same user owns nothing of it.
absl::StatusOr<UserRecord> LoadOwner(TokenTransaction& transaction, const TokenRecord& token);

absl::StatusOr<UserRecord> LoadUser(TokenTransaction& transaction, absl::string_view user_id);

// USER_NOT_LOCAL, USER_DISABLED: such a user gets no new secrets.
absl::Status CheckMayHaveSecrets(const UserRecord& user);

// TOKENS_DISABLED: nobody gets new secrets.
absl::Status CheckTokensEnabled(const PolicyRecord& policy);

// A violation for each scope that the policy keeps out of tokens. Nothing of more than kMostScopes: CheckScopes() has
// refused those.
void CheckForbiddenScopes(const std::vector<std::string>& scopes, const PolicyRecord& policy, Violations& violations);

// For a principal that is a token, which is `token`: whether what it was admitted by still holds, for between then and
// this transaction it may have been revoked, or got another secret. CREDENTIALS_INVALID, or SCOPE_REQUIRED if it is to
// regenerate itself and may not any more. OK for every other principal.
absl::Status CheckStillLiving(TokenTransaction& transaction, const Principal& principal, const TokenRecord& token,
                              TokenAction action, const Peppers& peppers, const ScopeCatalog& catalog,
                              const PolicyRecord& policy, absl::Time now);

// TOKEN_REVOKED, TOKEN_EXPIRED. Revoked beats expired.
absl::Status CheckAlive(const TokenRecord& token, const PolicyRecord& policy, absl::Time now);

// ETAG_MISMATCH if `etag` is given and is not the token's.
absl::Status CheckEtag(const TokenRecord& token, absl::string_view etag);

// DISPLAY_NAME_TAKEN if another live token of the owner has the name.
absl::Status CheckNameFree(TokenTransaction& transaction, const UserRecord& owner, const std::string& display_name,
                           const std::optional<TokenUid>& except, absl::Time now);

// QUOTA_EXCEEDED if the owner has as many live tokens as the policy allows.
absl::Status CheckRoomForOneMore(TokenTransaction& transaction, const UserRecord& owner, const PolicyRecord& policy,
                                 absl::Time now);

// Under what a request with an id is remembered. Empty without an id. `principal` as it stands in the transaction: the
// uid of its user is in the key, so that a later user of the same id finds none of the former one's requests.
std::string RequestKey(const Principal& principal, absl::string_view method, absl::string_view target,
                       const RequestIdentity& request);

// OK for a request that is new (or has no id); REQUEST_REPLAYED or REQUEST_ID_REUSED otherwise.
absl::Status CheckNotReplayed(TokenTransaction& transaction, const std::string& key, const RequestIdentity& request,
                              absl::Time now);

}  // namespace pat

#endif  // PAT_SERVER_CORE_TOKEN_RULES_H_
