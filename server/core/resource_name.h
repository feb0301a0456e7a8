// Resource names: "users/{user}" and "users/{user}/tokens/{token}" (AIP-122).
//
// {user}: 1 to 63 characters, a-z, 0-9, '.', '_', '-', beginning with a letter or digit. {token}: 1 to 63 letters,
// digits, '_' and '-'; those of tokens that exist are uids.
#ifndef PAT_SERVER_CORE_RESOURCE_NAME_H_
#define PAT_SERVER_CORE_RESOURCE_NAME_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "store/uid.h"

namespace pat {

inline constexpr absl::string_view kEverybody = "-";  // In "users/-".

bool IsUserId(absl::string_view id);

std::string UserName(absl::string_view user_id);
std::string TokenName(absl::string_view user_id, const TokenUid& uid);

// The {user} of "users/{user}"; "-" too. nullopt: not of this form.
std::optional<std::string> ParseUserName(absl::string_view name);

struct TokenNameParts {
  std::string user_id;
  std::optional<TokenUid> uid;  // Absent: a well-formed id that no token can have.
};

// nullopt: not of the form "users/{user}/tokens/{token}".
std::optional<TokenNameParts> ParseTokenName(absl::string_view name);

}  // namespace pat

#endif  // PAT_SERVER_CORE_RESOURCE_NAME_H_
