#ifndef PAT_SERVER_CRYPTO_RANDOM_H_
#define PAT_SERVER_CRYPTO_RANDOM_H_

#include <cstdint>

#include "absl/types/span.h"

namespace pat {

// Fills `bytes` from the operating system's randomness, fit for secrets and
// keys. Any thread may call it.
//
// It does not return without randomness: early at boot it waits until the kernel
// has some, and if the kernel has none to give, the process is aborted. There is
// no error a caller could handle in any better way.
void FillRandom(absl::Span<uint8_t> bytes);

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_RANDOM_H_
