#ifndef PAT_SERVER_CRYPTO_BYTES_H_
#define PAT_SERVER_CRYPTO_BYTES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace pat {

// Returns `text` seen as bytes. The result refers to the same memory and is
// valid for as long as it.
inline absl::Span<const uint8_t> AsBytes(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Returns `bytes` seen as text, for interfaces that carry bytes in strings. The
// result refers to the same memory and is valid for as long as it.
inline absl::string_view AsText(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_BYTES_H_
