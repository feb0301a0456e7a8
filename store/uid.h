// Uid: 16 random bytes that name a thing for ever.
//
// Users and tokens have a uid each. It is drawn at random when the thing is made, it is never reused, and it has
// nothing to do with a token's secret. A user who is deleted and made again under the same name has another uid, so
// nothing that belonged to the first one passes to the second.
//
// The kinds are different types (TokenUid, UserUid): one cannot be given for the other.
//
// Threads: a value type; no synchronisation of its own.
#ifndef PAT_STORE_UID_H_
#define PAT_STORE_UID_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace pat {

// Shared by all kinds of Uid: the text form is that of RFC 9562, lower case,
// 8-4-4-4-12 hexadecimal digits.
std::string FormatUid(const std::array<uint8_t, 16>& bytes);
std::optional<std::array<uint8_t, 16>> ParseUid(absl::string_view text);

template <typename Kind>
struct Uid {
  std::array<uint8_t, 16> bytes{};

  // 36 characters, for example "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3".
  std::string ToString() const { return FormatUid(bytes); }

  // Takes exactly what ToString() gives (lower case only, so that one token has one name). Anything else: nullopt.
  static std::optional<Uid> Parse(absl::string_view text) {
    auto parsed = ParseUid(text);
    if (!parsed.has_value()) return std::nullopt;
    return Uid{*parsed};
  }

  friend auto operator<=>(const Uid&, const Uid&) = default;  // NOLINT(modernize-use-nullptr)

  template <typename H>
  friend H AbslHashValue(H state, const Uid& uid) {
    return H::combine(std::move(state), uid.bytes);
  }
};

using TokenUid = Uid<struct TokenUidKind>;
using UserUid = Uid<struct UserUidKind>;

}  // namespace pat

#endif  // PAT_STORE_UID_H_
