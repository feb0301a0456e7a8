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

  friend auto operator<=>(const Epochs&, const Epochs&) = default;
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
