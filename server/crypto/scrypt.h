#ifndef PAT_SERVER_CRYPTO_SCRYPT_H_
#define PAT_SERVER_CRYPTO_SCRYPT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace pat {

// What a guess costs. The memory is 128 * n * r bytes, the time grows with
// n * r * p. The default takes 32 MiB and about a tenth of a second.
struct ScryptCost {
  uint64_t n = uint64_t{1} << 15;  // a power of two, at least 2
  uint32_t r = 8;                  // at least 1
  uint32_t p = 1;                  // from 1 to kMaxScryptParallelism

  friend bool operator==(const ScryptCost&, const ScryptCost&) = default;
};

// Bounds that hold for any cost, so that a damaged or forged record cannot make
// the server allocate or compute without end.
inline constexpr size_t kMaxScryptMemory = size_t{128} << 20;
inline constexpr uint32_t kMaxScryptParallelism = 16;

using ScryptKey = std::array<uint8_t, 32>;

// Derives a key from a password (RFC 7914). Slow and large by design: never call
// it on a thread that serves a completion queue. Any thread may call it, and
// every call under way takes its memory.
//
// Fails with
//  - InvalidArgument, if `cost` is outside the ranges above,
//  - ResourceExhausted, if it needs more than kMaxScryptMemory, or memory is out.
//
// An empty password or salt is not an error.
absl::StatusOr<ScryptKey> Scrypt(absl::string_view password, absl::Span<const uint8_t> salt, ScryptCost cost);

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_SCRYPT_H_
