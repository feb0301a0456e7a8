// The pepper: a secret file beside the data, without which the store's rows say nothing about secrets.
//
// The store finds a token by HMAC-SHA-256(pepper, SHA-256(secret)). Two peppers may be in use at once: the first one
// makes the HMAC of new secrets, the others still find the older ones, so that a pepper can be rotated.
#ifndef PAT_SERVER_CORE_PEPPERS_H_
#define PAT_SERVER_CORE_PEPPERS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/core/token_secret.h"
#include "server/crypto/digest.h"
#include "server/crypto/secret.h"
#include "store/records.h"

namespace pat {

// Threads: immutable; may be read from any thread.
class Peppers {
 public:
  // One HMAC per pepper, in order.
  using Candidates = absl::InlinedVector<TokenHmac, 2>;

  // `peppers`: one or more, each of at least 32 bytes, no two alike; otherwise INVALID_ARGUMENT.
  static absl::StatusOr<std::unique_ptr<const Peppers>> Create(std::vector<Secret> peppers);

  // Reads the files. Each must be a regular file of at least 32 bytes that neither the world nor a group that this
  // process is not in can read. Errors name the path and what would be right.
  static absl::StatusOr<std::unique_ptr<const Peppers>> Load(const std::vector<std::string>& paths);

  // Makes a new pepper file of 32 random bytes, mode 0400, durable before it returns. ALREADY_EXISTS if there is one.
  static absl::Status CreateFile(const std::string& path);

  // Under what a new secret is kept.
  TokenHmac Hmac(const TokenDigest& digest) const;

  // Under what a secret may be found.
  Candidates AllHmacs(const TokenDigest& digest) const;

  // Their ids, in order; see TokenReader::PepperIds().
  std::vector<PepperId> ids() const;

  // A key for something else, the same in every process that writes with this pepper. `purpose` is part of the key.
  HmacSha256Key DeriveKey(absl::string_view purpose) const;

 private:
  struct Pepper {
    PepperId id;
    std::unique_ptr<HmacSha256Key> key;
  };

  explicit Peppers(std::vector<Pepper> peppers);

  std::vector<Pepper> peppers_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_PEPPERS_H_
