// The form of a token's secret, and its digest.
//
//   pat_  43 Base62 characters (256 random bits, fixed width)  6 Base62 characters (CRC-32 of all before)
//
// 53 characters, \bpat_[0-9A-Za-z]{49}\b: secret scanners find it, the check sum keeps typing errors and made-up
// strings away from the store, and 53 < 56 so that its SHA-256 is one block. Base62 is 0-9, A-Z, a-z in this order,
// most significant digit first.
//
// Threads: pure functions, except MintSecret, which is thread-safe.
#ifndef PAT_SERVER_CORE_TOKEN_SECRET_H_
#define PAT_SERVER_CORE_TOKEN_SECRET_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/crypto/digest.h"
#include "server/crypto/secret.h"

namespace pat {

inline constexpr size_t kSecretLength = 53;

// SHA-256(secret): who a secret is, everywhere outside its bearer. It is as good as the secret for asking about it, so
// it is never logged. A type of its own: it cannot be mistaken for another hash, and printing it does not compile.
struct TokenDigest {
  Sha256Digest bytes{};

  friend bool operator==(const TokenDigest&, const TokenDigest&) = default;
};

// A new secret from 256 bits of the system's random generator.
Secret MintSecret();

// The same from given bits; for tests with known secrets.
Secret EncodeSecret(const std::array<uint8_t, 32>& bits);

// True if `text` has the form above, check sum included. Reads nothing but its argument; time does not depend on how
// much of the check sum is right.
bool HasSecretForm(absl::string_view text);

TokenDigest DigestOf(absl::string_view secret);

}  // namespace pat

#endif  // PAT_SERVER_CORE_TOKEN_SECRET_H_
