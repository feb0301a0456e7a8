// Page tokens: where a list goes on. Opaque to the caller, and bound to what it was made for: another caller, another
// parent or another filter cannot use it, and nobody can make one up.
//
// Threads: immutable; may be used from any thread.
#ifndef PAT_SERVER_CORE_PAGE_TOKEN_H_
#define PAT_SERVER_CORE_PAGE_TOKEN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/crypto/digest.h"

namespace pat {

class PageTokens {
 public:
  explicit PageTokens(HmacSha256Key key) : key_(std::move(key)) {}

  // `context` says what the list is: caller, parent, filter.
  std::string Encode(uint64_t position, absl::string_view context) const;

  // nullopt: not a token that Encode() made for this context.
  std::optional<uint64_t> Decode(absl::string_view token, absl::string_view context) const;

 private:
  Sha256Digest Mac(uint64_t position, absl::string_view context) const;

  HmacSha256Key key_;
};

// AIP-158: 0 is 50, more than 200 is 200. nullopt: negative.
std::optional<size_t> EffectivePageSize(int64_t requested);

}  // namespace pat

#endif  // PAT_SERVER_CORE_PAGE_TOKEN_H_
