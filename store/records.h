// What the store keeps: plain values, no behaviour.
//
// Instants are absl::Time, as the caller gave them; an engine keeps them to the nanosecond. The store owns no clock and
// judges no expiry by itself: where a question depends on "now", now is an argument.
#ifndef PAT_STORE_RECORDS_H_
#define PAT_STORE_RECORDS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "store/uid.h"

namespace pat {

// Under what a token is found: HMAC-SHA-256(pepper, SHA-256(secret)) and which pepper made it. Without the pepper it
// tells nothing about the secret.
using PepperId = std::array<uint8_t, 8>;

struct TokenHmac {
  PepperId pepper_id{};
  std::array<uint8_t, 32> mac{};

  friend auto operator<=>(const TokenHmac&, const TokenHmac&) = default;  // NOLINT(modernize-use-nullptr)
};

// Revoking everything of an owner, or of everybody, is one number that grows, not a write per token: a token is revoked
// when it was judged in an epoch that has passed. Both are compared for equality with the current ones.
struct Epochs {
  uint64_t global = 0;
  uint64_t owner = 0;

  friend auto operator<=>(const Epochs&, const Epochs&) = default;  // NOLINT(modernize-use-nullptr)
};

// One personal access token. Its resource name is "users/{owner_id}/tokens/{uid}".
struct TokenRecord {
  TokenUid uid;
  UserUid owner;
  std::string owner_id;  // The owner's id when the token was made; ids never change.
  std::string display_name;
  std::string description;
  std::vector<std::string> scopes;     // As given; cover is applied at check time.
  std::vector<std::string> audiences;  // Empty: any audience.
  absl::Time create_time;
  absl::Time expire_time;  // Whole seconds. Active means now < expire_time.
  std::optional<absl::Time> revoke_time;
  std::optional<absl::Time> regenerate_time;
  TokenHmac hmac;  // Of the living secret. Regenerating replaces it.
  Epochs epochs;   // In which the token was made. Never made anew: a token of a passed epoch stays revoked.

  // When the token was last introspected, to the minute, as far as that was noted (TokenTransaction::NoteUse). Kept
  // apart from the record: PutToken does not look at it, and FindByHmac leaves it absent.
  std::optional<absl::Time> last_use_time;

  // The number of the mutation that made the token (order of lists) and of the last one that changed it (its etag).
  uint64_t create_sequence = 0;
  uint64_t change_sequence = 0;

  friend bool operator==(const TokenRecord&, const TokenRecord&) = default;
};

enum class UserType : uint8_t { kLocal = 1, kDirectory = 2, kSaml = 3 };

// One user. Its resource name is "users/{id}". The password is a record of its own, so that no path that only needs to
// know who owns a token ever loads it.
struct UserRecord {
  UserUid uid;
  std::string id;
  UserType type = UserType::kLocal;
  bool disabled = false;
  bool administrator = false;
  std::vector<std::string> grants;  // Scopes; "*" is the whole catalogue.
  uint64_t token_epoch = 0;         // Epochs::owner of the tokens that are alive.
  absl::Time create_time;
  uint64_t change_sequence = 0;

  friend bool operator==(const UserRecord&, const UserRecord&) = default;
};

// A password as scrypt leaves it, with the cost it was made at, so that the cost can be raised later.
struct PasswordRecord {
  uint64_t scrypt_n = 0;
  uint32_t scrypt_r = 0;
  uint32_t scrypt_p = 0;
  std::string salt;  // 16 random bytes.
  std::array<uint8_t, 32> hash{};

  friend bool operator==(const PasswordRecord&, const PasswordRecord&) = default;
};

// What administrators decide for everybody. The defaults hold until a first policy is put. The reference product leaves
// the numbers open; they are this product's choice.
struct PolicyRecord {
  // No token is made, regenerated or active while this is set.
  bool tokens_disabled = false;

  // A token lives at most so long after it was created or last regenerated. Judged when a token is made and when it is
  // read. Whole seconds.
  absl::Duration maximum_lifespan = absl::Hours(24 * 365);

  // Tokens of one user that are neither expired nor revoked. Judged when a token is made.
  uint32_t maximum_live_tokens = 50;

  // Scopes that no token has, whatever it was given: judged when it is made and when it is read. Sorted, each once.
  std::vector<std::string> forbidden_scopes = {};

  uint64_t change_sequence = 0;  // 0: never put.

  friend bool operator==(const PolicyRecord&, const PolicyRecord&) = default;
};

// One row of the audit log: who did, or was refused, what. Never a secret, a digest or a password.
struct AuditRecord {
  absl::Time time = {};
  // The number of the mutation that wrote this row. With `time` it is the row's identity and its place in lists.
  uint64_t sequence = 0;

  std::string principal = {};  // Principal::ToString(), for example "user:ada" or "portal:spiffe://example.org/web".
  std::string user_id = {};    // On whose behalf; empty if the principal acts for no user.
  std::string method = {};     // "pat.v1.TokenService/RevokeToken"
  std::string target = {};     // The resource it was done to, for example "users/bob/tokens/0b6e…"; may be empty.
  std::string target_user_id = {};            // Whose resource that is; empty if nobody's.
  std::optional<TokenUid> target_token = {};  // If it is a token.
  std::string peer = {};                      // From where: "ipv4:10.0.0.7:4711", "unix:/run/pat/pat.sock".
  std::string outcome = {};                   // "OK", or the reason of the refusal: "ROLE_REQUIRED".
  std::string detail = {};                    // What was changed, in words for people; may be empty.
  uint64_t count = 1;                         // How often, if several of the same kind were put together.

  friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

// That a request with a client's request_id was done, so that its repetition is not done again.
struct RequestRecord {
  std::array<uint8_t, 32> body_hash{};
  std::string token_name = {};
  absl::Time forget_time = {};  // From then on the record may be purged and the id used again.

  friend bool operator==(const RequestRecord&, const RequestRecord&) = default;
};

// For how long a cache somewhere may still accept what was read from this store: `granted` is the TTL handed out now;
// while now < `previous_end`, entries loaded under the older and larger `previous` may still be alive too.
struct CacheBoundRecord {
  absl::Duration granted = absl::ZeroDuration();
  absl::Duration previous = absl::ZeroDuration();
  absl::Time previous_end = absl::InfinitePast();

  friend bool operator==(const CacheBoundRecord&, const CacheBoundRecord&) = default;
};

}  // namespace pat

#endif  // PAT_STORE_RECORDS_H_
