#ifndef PAT_SERVER_CRYPTO_CONSTANT_TIME_H_
#define PAT_SERVER_CRYPTO_CONSTANT_TIME_H_

#include <cstdint>

#include "absl/types/span.h"

namespace pat {

// Returns whether `a` and `b` hold the same bytes. For two spans of one length
// the time it takes does not depend on what is in them, so that it tells a caller
// nothing about how much of a guess was right. Different lengths are noticed at
// once: a length is not a secret here.
bool ConstantTimeEqual(absl::Span<const uint8_t> a, absl::Span<const uint8_t> b);

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_CONSTANT_TIME_H_
