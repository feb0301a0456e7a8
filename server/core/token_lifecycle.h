// TokenLifecycle: the rules of a token's life. Create, look at, rename, revoke, regenerate, revoke all, report as
// leaked.
//
// In this order, for every call: what the principal may do with whose tokens, the form of the request, and then, inside
// one transaction of the store, whether the principal still is who it was, and everything else that depends on what is
// kept. Authentication and the table of rights come
// before (server/authn).
//
// Whose tokens: a user's (or a portal's user's) own. An administrator may look at and revoke everybody's, but never
// create, change or regenerate somebody else's: that would hand over a secret. Somebody else's token and one that does
// not exist are the same NOT_FOUND to everybody but administrators. A token looks at itself, revokes itself and, with
// the scope PAT.SelfRegenerate, regenerates itself with the same end; every other one is somebody else's to it.
//
// What the policy says is read in the transaction that it is judged in. Every change writes a row of the audit log in
// the same transaction; a dry run, and revoking what is revoked, are no changes.
//
// Errors carry ErrorDetails: INVALID_REQUEST, PERMISSION_DENIED's ROLE_REQUIRED, TOKEN_NOT_FOUND, USER_NOT_FOUND,
// USER_NOT_LOCAL, USER_DISABLED, TOKENS_DISABLED, TOKEN_EXPIRED, TOKEN_REVOKED, DISPLAY_NAME_TAKEN, QUOTA_EXCEEDED,
// ETAG_MISMATCH, REQUEST_REPLAYED, REQUEST_ID_REUSED, RATE_LIMITED, for a token SCOPE_REQUIRED, and CREDENTIALS_INVALID
// for a token that ended, or a user who was deleted or shut out, while the call was under way. One without details is
// the store's; its text is for the log.
//
// Threads: thread-safe; calls block until the store has answered, and writes until they are durable.
#ifndef PAT_SERVER_CORE_TOKEN_LIFECYCLE_H_
#define PAT_SERVER_CORE_TOKEN_LIFECYCLE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/core/audit_log.h"
#include "server/core/clock.h"
#include "server/core/page_token.h"
#include "server/core/peppers.h"
#include "server/core/principal.h"
#include "server/core/rate_limiter.h"
#include "server/core/retention.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_requests.h"
#include "server/crypto/secret.h"
#include "store/token_store.h"

namespace pat {

enum class TokenState : uint8_t { kActive, kExpired, kRevoked };

// A token as its owner sees it. In the answer of a dry run of a creation `uid` and the sequences are not set.
struct TokenView {
  TokenRecord record;
  TokenState state = TokenState::kActive;
  absl::Time expire_time;  // By the policy too.
};

// A token with its secret; the secret is empty in the answer of a dry run.
struct TokenWithSecret {
  TokenView token;
  Secret secret;
  absl::Time previous_secret_last_accept_time;  // Of a regeneration.
};

struct RevokedToken {
  TokenView token;
  absl::Time last_accept_time;  // No cache anywhere accepts the token after this instant.
};

struct RevokedTokens {
  uint64_t revoked_count = 0;  // Tokens that were not revoked before, expired ones included.
  absl::Time last_accept_time;
};

// A page may be short, or empty, and not the last one: see kMostPassedOver.
struct TokenViewPage {
  std::vector<TokenView> tokens;
  std::string next_page_token;  // Empty: this is the last one.
};

class TokenLifecycle {
 public:
  // Told of the digest of each new secret, after it is durable and before it is shown.
  using NewSecretListener = std::function<void(const TokenDigest&)>;

  // What is given must outlive this object.
  TokenLifecycle(TokenStore& store, const Peppers& peppers, const ScopeCatalog& catalog, const Retention& retention,
                 AuditLog& audit, const Clock& clock, NewSecretListener on_new_secret);

  absl::StatusOr<TokenWithSecret> Create(const Principal& principal, const CreateTokenQuery& query);
  absl::StatusOr<TokenView> Get(const Principal& principal, const std::string& name) const;
  absl::StatusOr<TokenViewPage> List(const Principal& principal, const ListTokensQuery& query) const;
  absl::StatusOr<TokenView> Update(const Principal& principal, const UpdateTokenQuery& query);
  absl::StatusOr<RevokedToken> Revoke(const Principal& principal, const RevokeTokenQuery& query);
  absl::StatusOr<TokenWithSecret> Regenerate(const Principal& principal, const RegenerateTokenQuery& query);

  // Revokes all tokens of a user, or of everybody ("users/-", for administrators).
  absl::StatusOr<RevokedTokens> RevokeAll(const Principal& principal, const RevokeAllTokensQuery& query);

  // Revokes the token of a secret, if there is one that is not revoked. The same answer whether or not; a secret that
  // is not known writes nothing. At most 10 calls a second of one principal: RATE_LIMITED. INVALID_REQUEST for an empty
  // one and one of over 1024 bytes.
  absl::Status ReportLeaked(const Principal& principal, absl::string_view secret);

  // The etag of a token as it is.
  static std::string EtagOf(const TokenRecord& token);

 private:
  static TokenView ViewOf(TokenRecord record, const PolicyRecord& policy, absl::Time now);

  TokenStore& store_;
  const Peppers& peppers_;
  const ScopeCatalog& catalog_;
  const Retention& retention_;
  AuditLog& audit_;
  const Clock& clock_;
  const NewSecretListener on_new_secret_;
  const PageTokens page_tokens_;
  RateLimiter reports_;  // ReportLeaked.
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_TOKEN_LIFECYCLE_H_
