#ifndef PAT_SERVER_CRYPTO_DIGEST_H_
#define PAT_SERVER_CRYPTO_DIGEST_H_

#include <array>
#include <cstdint>
#include <memory>
#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace pat {

// What SHA-256 and HMAC-SHA-256 give.
using Sha256Digest = std::array<uint8_t, 32>;

// Returns the SHA-256 digest (FIPS 180-4) of `data`.
Sha256Digest Sha256(absl::string_view data);

// Returns the HMAC-SHA-256 (RFC 2104) of `data` under `key`, which may have any
// length. For a key that is used more than once, HmacSha256Key is faster.
Sha256Digest HmacSha256(absl::Span<const uint8_t> key, absl::Span<const uint8_t> data);

// A key for HMAC-SHA-256, made ready once: a MAC of up to 55 bytes then costs two
// runs of SHA-256's compression function instead of four.
//
// Holds secret material: it is wiped by the destructor, cannot be copied, and
// printing it does not compile.
//
// After construction any number of threads may call const methods at the same
// time. A moved-from key may only be destroyed or assigned to.
class HmacSha256Key {
 public:
  // `key` may have any length and need not outlive the call; wiping the caller's
  // copy is the caller's business.
  explicit HmacSha256Key(absl::Span<const uint8_t> key);
  ~HmacSha256Key();

  HmacSha256Key(HmacSha256Key&&) noexcept;
  HmacSha256Key& operator=(HmacSha256Key&&) noexcept;
  HmacSha256Key(const HmacSha256Key&) = delete;
  HmacSha256Key& operator=(const HmacSha256Key&) = delete;

  // Returns what HmacSha256(key, data) would.
  Sha256Digest Mac(absl::Span<const uint8_t> data) const;

 private:
  struct State;

  friend std::ostream& operator<<(std::ostream&, const HmacSha256Key&) = delete;

  std::unique_ptr<State> state_;
};

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_DIGEST_H_
