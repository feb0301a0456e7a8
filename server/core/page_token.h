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

  // `context` says what the list is: caller, parent, filter. One key serves lists with one kind of position.
  std::string Encode(uint64_t position, absl::string_view context) const;

  // nullopt: not a token that Encode() made for this context.
  std::optional<uint64_t> Decode(absl::string_view token, absl::string_view context) const;

  // The same for positions that are not numbers. (They can be read in the token: nothing secret.)
  std::string EncodeText(absl::string_view position, absl::string_view context) const;
  std::optional<std::string> DecodeText(absl::string_view token, absl::string_view context) const;

 private:
  Sha256Digest Mac(absl::string_view position, absl::string_view context) const;

  HmacSha256Key key_;
};

// A number as 8 bytes, most significant first: a part of a position. Back: `bytes` must have 8.
std::string BigEndian(uint64_t value);
uint64_t FromBigEndian(absl::string_view bytes);

// AIP-158: 0 is 50, more than 200 is 200. nullopt: negative.
std::optional<size_t> EffectivePageSize(int64_t requested);

}  // namespace pat

#endif  // PAT_SERVER_CORE_PAGE_TOKEN_H_
